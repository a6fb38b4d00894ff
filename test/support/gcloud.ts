import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GoogleServices } from '../sandbox/google/start.ts'
import { command } from './command.ts'
import { firstLack, needsProgram, type Lack } from './needs.ts'

const installation = 'install the Google Cloud CLI: https://cloud.google.com/sdk/docs/install'

/** A requirement of the tests with only gcloud that this machine lacks. */
export const gcloudAloneLack: Lack = needsProgram('gcloud', installation)

/** The programs of the real gcloud that this machine does not have. */
export const gcloudLack: Lack = firstLack(
  gcloudAloneLack,
  needsProgram('gke-gcloud-auth-plugin', 'gcloud components install gke-gcloud-auth-plugin'),
)

/** Logs the real gcloud in with credentials like those of google-github-actions/auth, and lets it write a kubeconfig. @returns the variables of a step that uses it */
export async function gcloudKubeconfig(
  google: GoogleServices,
  folder: string,
  cluster: { name: string; location: string },
): Promise<Record<string, string>> {
  mkdirSync(folder, { recursive: true })
  const env: Record<string, string> = {
    ...{ PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: join(folder, 'kubeconfig') },
    ...{ CLOUDSDK_CONFIG: join(folder, 'gcloud'), CLOUDSDK_CORE_PROJECT: google.world.project.id },
    ...{ CLOUDSDK_CORE_DISABLE_PROMPTS: '1', CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1' },
    ...{ CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1', CLOUDSDK_CORE_CHECK_GCE_METADATA: 'false' },
    ...google.envWithoutIdToken(),
  }
  const credentials = join(folder, 'credentials.json')
  writeFileSync(credentials, JSON.stringify(google.credentials({ serviceAccount: google.serviceAccount })))
  await command('gcloud', ['auth', 'login', `--cred-file=${credentials}`], { env })
  await command(
    'gcloud',
    ['container', 'clusters', 'get-credentials', cluster.name, `--location=${cluster.location}`],
    {
      env,
    },
  )
  return env
}
