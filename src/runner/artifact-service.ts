import { parseJwtClaims } from '../common/jwt.ts'
import type { Problem } from '../common/errors.ts'

const withoutArtifact =
  'Set `upload: none`, and store the file of the output `pcap-path` in a later step of the job: without one, it is lost with a hosted runner.'

/**
 * Why @actions/artifact cannot upload from this job, by its own rules (shared/config.js and shared/util.js of the package); undefined where it can.
 * They depend only on variables of the runner, so the upload need not fail after the capture.
 */
export function artifactServiceProblem(env: NodeJS.ProcessEnv): Problem | undefined {
  const lack = lackOf(env)
  if (lack === undefined) return undefined
  return {
    code: 'E_ARTIFACT_SERVICE_UNAVAILABLE',
    input: 'upload',
    problem: `\`artifact\` is not possible here: ${lack}`,
    fix: withoutArtifact,
  }
}

function lackOf(env: NodeJS.ProcessEnv): string | undefined {
  const host = serverHost(env['GITHUB_SERVER_URL'])
  if (!isSupported(host)) {
    return `${host} is GitHub Enterprise Server or another forge, whose artifact service @actions/artifact does not support`
  }
  for (const name of ['ACTIONS_RUNTIME_TOKEN', 'ACTIONS_RESULTS_URL']) {
    if (!env[name]) return `the runner names no artifact service (${name} is not set)`
  }
  if (!URL.canParse(env['ACTIONS_RESULTS_URL'] ?? '')) return 'ACTIONS_RESULTS_URL of the runner is not a URL'
  const { scp } = parseJwtClaims(env['ACTIONS_RUNTIME_TOKEN'] ?? '')
  const scopes = typeof scp === 'string' ? scp.split(' ') : []
  if (!scopes.some((scope) => /^Actions\.Results:[^:]*:[^:]*$/.test(scope))) {
    return 'the runner gives the job no right to artifacts (ACTIONS_RUNTIME_TOKEN has no scope Actions.Results)'
  }
  return undefined
}

function serverHost(url: string | undefined): string {
  try {
    return new URL(url || 'https://github.com').hostname
  } catch {
    return url ?? ''
  }
}

function isSupported(host: string): boolean {
  return /(^github\.com|\.ghe\.com|\.localhost)$/i.test(host)
}
