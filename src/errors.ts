/** A mistake of the user's or of their set-up: the message names the input, the cause and the fix; it is shown without a stack. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
}

/** The run was cancelled before there was anything to deliver: nobody's mistake. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

/** What an unknown thrown value says, without "Error: ". */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  if (error instanceof Error) return error.message || error.name
  return String(error)
}
