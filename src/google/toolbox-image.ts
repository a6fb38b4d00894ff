/** Of the path of a name: distribution's grammar of references (github.com/distribution/reference, path-component). */
const part = '[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*'
/** A host with its port, a path, a tag. No digest, and no capitals: toolbox' file has a name and a tag, which it hands on as they are. */
const reference = new RegExp(
  `^((?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\\d{1,5})?/)?${part}(?:/${part})*)(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?$`,
)
const longest = 512

/** What the input toolbox-image takes, in words. */
export const toolboxImageForm = 'NAME:TAG, the name in small letters, without a digest'

/** The name and the tag of an image for COS' toolbox; undefined for what is none: the file that they go to is read by a shell. */
export function splitToolboxImage(image: string): readonly [name: string, tag: string] | undefined {
  if (image.length > longest) return undefined
  const [, name, tag = 'latest'] = reference.exec(image) ?? []
  return name === undefined ? undefined : [name, tag]
}
