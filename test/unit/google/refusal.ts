import { ConfigurationError } from '../../../src/errors.ts'

/** The message of the ConfigurationError that the work must end in. */
export async function refusal(work: () => unknown): Promise<string> {
  let error: unknown
  try {
    await work()
  } catch (reason) {
    error = reason
  }
  expect(error).toBeInstanceOf(ConfigurationError)
  return (error as Error).message
}
