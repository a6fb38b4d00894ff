import { scriptText } from './script-text.ts'

// The programs of a capture on a node, by SSH. See scripts.ts for the literal URLs.

/** `sh FILE`: the recorder with its parameters from a file */
export const insideScript = scriptText(new URL('./node-inside.sh', import.meta.url))
/** `sh FILE MAX_SECONDS KEEP_SECONDS [PREFIX…]`: runs the recorder, and removes the run folder after it */
export const outsideScript = scriptText(new URL('./node-outside.sh', import.meta.url))
/** `sh -c TEXT sh COMMAND…`: as root */
export const asRootScript = scriptText(new URL('./as-root.sh', import.meta.url))
/** `sh -c TEXT sh FOLDER NAME`: writes stdin to a file */
export const writeScript = scriptText(new URL('./node-write.sh', import.meta.url))
/** `sh -c TEXT sh FOLDER MAX_SECONDS KEEP_SECONDS [PREFIX…]`: starts the recorder */
export const beginScript = scriptText(new URL('./node-begin.sh', import.meta.url))
/** `sh -c TEXT sh NAME ROOT…`: stops the recorder and removes its files */
export const removeScript = scriptText(new URL('./node-remove.sh', import.meta.url))
/** `sh -c TEXT sh RUN_FOLDER…`: prints the state of the recorder */
export const stateScript = scriptText(new URL('./node-state.sh', import.meta.url))
/** `sh -c TEXT`: prints the addresses of the SSH connection */
export const connectionScript = scriptText(new URL('./node-connection.sh', import.meta.url))
/** `sh -c TEXT sh TOOLBOX_FOLDER SPOOL_DIRECTORY…`: prints facts about the node */
export const probeScript = scriptText(new URL('./node-probe.sh', import.meta.url))
/** `sh -c TEXT sh HOME NAME TAG COMMAND…`: runs a command with another image of the toolbox */
export const toolboxImageScript = scriptText(new URL('./toolbox-image.sh', import.meta.url))
/** `sh -c TEXT`, in the toolbox: prints tcpdump's version */
export const toolboxVersionScript = scriptText(new URL('./toolbox-version.sh', import.meta.url))
/** `sh -c TEXT`, in the toolbox: installs tcpdump */
export const toolboxInstallScript = scriptText(new URL('./toolbox-install.sh', import.meta.url))
