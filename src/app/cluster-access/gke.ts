import { connectWithToken } from '../../cluster/token-connection.ts'
import { findCluster } from '../../google/gke/cluster.ts'
import type { Access } from '../../inputs/access.ts'
import { maskSecret } from '../../runner/mask-secret.ts'
import type { Cluster } from './cluster.ts'
import { openGoogle } from './google.ts'

/** The input `cluster`: a GKE cluster, with the Google Cloud identity of the inputs. @throws ConfigurationError */
export async function openGke(access: Access & { kind: 'gke' }, env: NodeJS.ProcessEnv): Promise<Cluster> {
  const source = await openGoogle(access, env)
  const { cluster, location, projectId: project, endpoint } = access
  const gke = await findCluster({ cluster, location, project }, endpoint, source, env)
  const connection = connectWithToken(
    {
      input: 'cluster',
      server: gke.server,
      certificateAuthority:
        gke.certificateAuthority === undefined
          ? undefined
          : {
              text: gke.certificateAuthority,
              input: 'cluster',
              subject: 'the certificate authority that Google Cloud reports',
              fix: 'Check it with `gcloud container clusters describe`.',
            },
      trustedAuthority: 'the one that Google Cloud reports for the cluster',
      as: `${source.description} (${gke.description})`,
      token: async () => (await source.token()).value,
      refused: (token) => source.refused(token),
      hint: gke.hint,
    },
    maskSecret,
  )
  return { connection, autopilot: gke.autopilot, google: () => Promise.resolve(source) }
}
