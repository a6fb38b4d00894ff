import type { Connection } from '../../cluster/connection.ts'
import type { GoogleTokenSource } from '../../google/auth/identity.ts'

/** A cluster that the inputs give access to. */
export interface Cluster {
  readonly connection: Connection
  /** undefined: unknown, because this authentication method does not report it */
  readonly autopilot: boolean | undefined
  /**
   * The Google Cloud identity of the inputs or of google-github-actions/auth; called only where Google Cloud is needed.
   * @throws ConfigurationError where there is none
   */
  google(): Promise<GoogleTokenSource>
}
