/** A resource as in Google's API. */
export type Resource = Record<string, unknown>

/** The state of Compute Engine. Tests change it while it runs. */
export interface Compute {
  readonly instances: Instance[]
  /** metadata of the project, for all its instances */
  projectMetadata: MetadataItem[]
  readonly operations: Map<string, Operation>
  /** number of polls until an operation is done */
  pendingPolls: number
  /** what the next operations end in: `RESOURCE_NOT_READY`, … */
  readonly operationErrors: string[]
  /** how many of the next metadata changes conflict with a concurrent change: 412 */
  races: number
}

export interface MetadataItem {
  key: string
  value?: string
}

export interface Instance {
  readonly project: string
  readonly zone: string
  readonly name: string
  readonly id: string
  metadata: MetadataItem[]
  /** `hostkeys/ssh-ed25519` → value */
  readonly guestAttributes: Map<string, string>
  /** the rest of `compute.v1.Instance` */
  readonly resource: Resource
}

export interface Operation {
  readonly resource: Resource
  polls: number
}

/** The state of OS Login. Tests change it while it runs. */
export interface OsLogin {
  /** by address of the account */
  readonly profiles: Map<string, LoginProfile>
  /** of new POSIX accounts; undefined: Google's default, `sa_NUMBER`; null: none is created */
  username: string | null | undefined
  /** false: a policy of the organisation drops keys without an error */
  keepsKeys: boolean
  /** how many of the next deletions conflict with a concurrent change: 409 */
  conflicts: number
}

export interface LoginProfile {
  posixAccounts: Record<string, unknown>[]
  /** by fingerprint */
  readonly keys: Map<string, ImportedKey>
}

export interface ImportedKey {
  readonly key: string
  expirationTimeUsec: string | undefined
  /** to which the answer waited for it to be replicated */
  readonly regions: readonly string[]
}
