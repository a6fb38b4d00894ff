import { scriptText } from './script-text.ts'

// The programs that run beside the target; files of their own, so that shellcheck and a terminal can read them.
// The literal form of the URL is what ncc finds: it copies the file beside the bundle.

const napScript = scriptText(new URL('./nap.sh', import.meta.url))

/** `sh -c TEXT recorder NAME SHA256 MAX_SECONDS`, the command of a capture's container: runs what is delivered to it */
export const loaderScript = scriptText(new URL('./loader.sh', import.meta.url))
/** `sh -c TEXT deliver DIRECTORY…`: takes the recorder from stdin for the loader */
export const deliverScript = scriptText(new URL('./deliver.sh', import.meta.url))
/** the head of what is delivered */
export const unpackScript = scriptText(new URL('./unpack.sh', import.meta.url))
/** `sh FILE`, in a directory with the file `follower`: the main process of the capture's container, or a process on a node */
export const recorderScript = [
  napScript,
  scriptText(new URL('./spool.sh', import.meta.url)),
  scriptText(new URL('./interfaces.sh', import.meta.url)),
  scriptText(new URL('./recorder.sh', import.meta.url)),
].join('\n')
/** `sh FILE OFFSET`: sends the spool from an offset */
export const followerScript = [napScript, scriptText(new URL('./follower.sh', import.meta.url))].join('\n')
/** `sh -c TEXT sh OFFSET DIRECTORY…`: waits for the spool, then becomes the follower. Short, because it is in the API server's audit log. */
export const startFollowerScript = scriptText(new URL('./start-follower.sh', import.meta.url))
/** `sh -c TEXT sh DIRECTORY…`: asks a recorder to stop and to delete its spool */
export const stopRecorderScript = scriptText(new URL('./stop-recorder.sh', import.meta.url))
