import { artifactServiceProblem } from '../../../src/runner/artifact-service.ts'

const token = (claims: object): string => `e.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
const env = {
  ACTIONS_RESULTS_URL: 'https://results.example/',
  ACTIONS_RUNTIME_TOKEN: token({ scp: 'Actions.Example Actions.Results:run:job' }),
}

it.each([
  undefined,
  '',
  'https://github.com',
  'https://GitHub.com/',
  'https://acme.ghe.com',
  'http://x.localhost:3000',
])('an artifact can be uploaded on %s', (server) => {
  expect(artifactServiceProblem({ ...env, GITHUB_SERVER_URL: server })).toBeUndefined()
})

it.each<[string, NodeJS.ProcessEnv, RegExp]>([
  [
    'GitHub Enterprise Server',
    { GITHUB_SERVER_URL: 'https://git.acme.example' },
    /^`artifact` is not possible here: git\.acme\.example is/,
  ],
  [
    'a host that only looks alike',
    { GITHUB_SERVER_URL: 'https://evilgithub.com' },
    /evilgithub\.com is GitHub Enterprise/,
  ],
  ['a job without a token', { ACTIONS_RUNTIME_TOKEN: undefined }, /\(ACTIONS_RUNTIME_TOKEN is not set\)/],
  ['a job without an address', { ACTIONS_RESULTS_URL: '' }, /\(ACTIONS_RESULTS_URL is not set\)/],
  ['a job with a wrong address', { ACTIONS_RESULTS_URL: 'results' }, /ACTIONS_RESULTS_URL of the runner is not a URL/],
  ['a token of another forge', { ACTIONS_RUNTIME_TOKEN: 'opaque' }, /no scope Actions\.Results/],
  [
    'a token without the job',
    { ACTIONS_RUNTIME_TOKEN: token({ scp: 'Actions.Results:run' }) },
    /no scope Actions\.Results/,
  ],
])('%s cannot upload an artifact', (_title, changes, words) => {
  const problem = artifactServiceProblem({ ...env, ...changes })
  expect(problem).toMatchObject({ code: 'E_ARTIFACT_SERVICE_UNAVAILABLE', input: 'upload' })
  expect(problem?.problem).toMatch(words)
  expect(problem?.fix).toContain('Set `upload: none`')
})
