import { ConfigurationError } from '../common/errors.ts'

/** The server shows a host key other than the known one. No key of the user was offered to it; the login is not tried again. */
export class HostKeyError extends ConfigurationError {}

/** The server does not accept the user's key. */
export class AuthenticationError extends ConfigurationError {}

/** The connection, or a command over it, failed; the message has the cause. */
export class SshError extends Error {
  override readonly name = 'SshError'
}

/** What the caller knows about the server and this module does not: it completes the problems that a user has to fix. */
export interface SshAdvice {
  /** the action input that the problems name */
  readonly input: string
  /** where the known host keys come from, such as `its guest attributes` */
  readonly hostKeySource: string
  /** for each problem what to do about it, in whole sentences */
  readonly fixes: {
    /** the server never accepted the key */
    readonly keyNotAccepted: string
    /** the server accepted the key before, and does so no longer */
    readonly keyNoLongerAccepted: string
    /** the host key is not among the known ones */
    readonly hostKeyUnknown: string
    /** the host key is not the one of an earlier login of this session */
    readonly hostKeyChanged: string
    /** no known host key has a type that this client supports */
    readonly hostKeysUnsupported: string
  }
}
