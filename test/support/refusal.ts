import { ConfigurationError } from '../../src/common/errors.ts'

/** The ConfigurationError that the work rejects with; fails the test when it ends in another way. */
export async function rejection(work: Promise<unknown> | (() => unknown)): Promise<ConfigurationError> {
  let error: unknown
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (reason) {
    error = reason
  }
  expect(error).toBeInstanceOf(ConfigurationError)
  return error as ConfigurationError
}

/** The message of the ConfigurationError that the work rejects with. */
export async function refusal(work: Promise<unknown> | (() => unknown)): Promise<string> {
  return (await rejection(work)).message
}

/** The ConfigurationError that a function throws synchronously. */
export function thrownBy(work: () => unknown): ConfigurationError {
  let error: unknown
  try {
    work()
  } catch (reason) {
    error = reason
  }
  expect(error).toBeInstanceOf(ConfigurationError)
  return error as ConfigurationError
}
