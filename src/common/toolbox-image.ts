/** Of the path of a name: distribution's grammar of references (github.com/distribution/reference, path-component). */
const part = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*'
/** A host with its port, a path, a tag. No digest and no capitals: the file that toolbox reads has a name and a tag, used as they are. */
const reference = new RegExp(
  `^((?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\\d{1,5})?/)?${part}(?:/${part})*)(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?$`,
)
const maxLength = 512

/** The form of the input toolbox-image, in words. */
export const toolboxImageForm = 'NAME:TAG, the name in lower case, without a digest'

/** The name and the tag of an image for COS's toolbox; undefined where it is malformed: a shell reads the file that they are written to. */
export function splitToolboxImage(image: string): readonly [name: string, tag: string] | undefined {
  if (image.length > maxLength) return undefined
  const [, name, tag = 'latest'] = reference.exec(image) ?? []
  return name === undefined ? undefined : [name, tag]
}
