import { connectKubeconfig } from '../../cluster/kubeconfig/connect.ts'
import type { Connection } from '../../cluster/connection.ts'
import type { Access } from '../../inputs/access.ts'
import { maskSecret } from '../../runner/mask-secret.ts'

/** The inputs `kubeconfig` and `context`. @throws ConfigurationError */
export function openKubeconfig(
  { source, context, pluginVariables }: Access & { kind: 'kubeconfig' },
  env: NodeJS.ProcessEnv,
): Promise<Connection> {
  return connectKubeconfig({ source, context, env, pluginVariables, maskSecret, installFixes })
}

/** How to install the exec plugins of the cloud providers. */
const installFixes = new Map([
  [
    'gke-gcloud-auth-plugin',
    'Install it with `gcloud components install gke-gcloud-auth-plugin`, or use google-github-actions/get-gke-credentials, whose kubeconfig needs no plugin.',
  ],
  ['aws', 'Install the AWS CLI v2 and run aws-actions/configure-aws-credentials in an earlier step.'],
  [
    'aws-iam-authenticator',
    'Install it in an earlier step, or create the kubeconfig with `aws eks update-kubeconfig`.',
  ],
  ['kubelogin', 'Install it with the action azure/use-kubelogin in an earlier step.'],
])
