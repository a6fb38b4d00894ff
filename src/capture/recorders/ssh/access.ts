import type { Duplex } from 'node:stream'
import type { SshAdvice } from '../../../ssh/errors.ts'

/** JSON without secrets: what the platform of the nodes needs to revoke a login from another process. Opaque for capture. */
export type SavedLogin = unknown

/** How the platform of the nodes lets the runner log in. The implementation is given to the recorder; app/ has that of Google. */
export interface NodeAccess {
  readonly platform: NodePlatform
  /** Plans another login to the node of a saved one. Creates nothing. @throws ConfigurationError */
  planLogin(earlier: SavedLogin): Promise<NodeLogin>
  /** Revokes a login, also one that was never granted. Never rejects. */
  revokeLogin(login: SavedLogin): Promise<RevokedLogin>
}

/** What capture cannot know of the platform of the nodes. */
export interface NodePlatform {
  /** CIDR ranges that the tunnels to the nodes come from */
  readonly tunnelRanges: readonly string[]
  /** for each problem what to do about it, in whole sentences */
  readonly fixes: {
    /** the login cannot become root */
    readonly rootMissing: string
    /** the node cannot pull the image of its toolbox */
    readonly imageNotPulled: string
    /** the node cannot install a package from the Internet */
    readonly internetMissing: string
  }
}

/** A planned login to one node. Its key exists in this process only until it is granted. */
export interface NodeLogin {
  readonly saved: SavedLogin
  /** OpenSSH PEM */
  readonly privateKey: string
  /** `ssh-ed25519 AAAA…` lines that the platform publishes; empty where it does not */
  readonly hostKeys: readonly string[]
  /** what to do so that the platform publishes them, a whole sentence */
  readonly hostKeyFix: string
  readonly sshAdvice: SshAdvice
  /** what `grant` creates, for the log: "Added an SSH key to …" */
  readonly grantText: string
  /** Checks everything that can be checked without creating anything. @returns findings, one line each @throws ConfigurationError */
  check(): Promise<readonly string[]>
  /** Grants the key until `expires`. @returns the user to log in as @throws ConfigurationError; the key may be granted all the same */
  grant(expires: Date): Promise<string>
  /** Opens a byte stream to the SSH server of the node. @throws ConfigurationError */
  openTunnel(onReconnecting: (reason: string) => void): Promise<Duplex>
}

export interface RevokedLogin {
  /** false: the key stays until it expires, or until a later attempt */
  readonly isRevoked: boolean
  /** what was not removed, in words */
  readonly leftovers: readonly string[]
}
