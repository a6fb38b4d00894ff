/** The text of an input of the step, trimmed; '' where it is not set. */
export function readInput(name: string): string {
  return (process.env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] ?? '').trim()
}

/** What main has saved for the post step; '' where it has saved nothing. */
export function readState(name: string): string {
  return process.env[`STATE_${name}`] ?? ''
}
