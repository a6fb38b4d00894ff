import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { GoogleServices } from '../sandbox/google/start.ts'
import { command } from './cluster.ts'

const inPath = (name: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })

/** What of the real gcloud this machine lacks. */
export const gcloudMissing = ['gcloud', 'gke-gcloud-auth-plugin'].filter((name) => !inPath(name))

/** Logs the real gcloud in with what google-github-actions/auth leaves, lets it write a kubeconfig; the variables of a step that uses that. */
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
