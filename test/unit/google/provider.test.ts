import { parseProvider, parseServiceAccount } from '../../../src/google/provider.ts'
import { refusal } from './refusal.ts'

const name = 'projects/123456789012/locations/global/workloadIdentityPools/github/providers/octo-org'

describe('workload-identity-provider', () => {
  it.each([
    name,
    `//iam.googleapis.com/${name}`,
    `https://iam.googleapis.com/${name}`,
    `https://iam.googleapis.com/v1/${name}`,
    ` ${name}/ `,
  ])('takes %s', (text) => {
    expect(parseProvider(text)).toEqual({ name, project: '123456789012', pool: 'github', id: 'octo-org' })
  })

  it.each([
    ["a pool's name", name.replace(/\/providers.*/, ''), /is the name of a pool.*workload-identity-pool=github`/],
    [
      'an id in place of the number',
      name.replace('123456789012', 'shop-prod'),
      /takes its number.*gcloud projects describe shop-prod/,
    ],
    ['another location', name.replace('global', 'europe-west1'), /location global/],
    ['something else', 'octo-org', /takes projects\/NUMBER\/locations\/global/],
    ['a name with a newline', `${name}\nx`, /takes projects\/NUMBER/],
    ['a bad pool', name.replace('github', 'Git Hub'), /takes projects\/NUMBER/],
    ['a bad provider', name.replace('octo-org', 'octo_org'), /"octo_org" is no name of a pool or a provider/],
  ])('refuses %s', async (_what, text, words) => {
    const message = await refusal(() => parseProvider(text))
    expect(message).toMatch(/^workload-identity-provider: got "/)
    expect(message).toMatch(words)
  })
})

describe('service-account', () => {
  it.each(['capture@shop-prod.iam.gserviceaccount.com', '123-compute@developer.gserviceaccount.com'])(
    'takes %s',
    (text) => {
      expect(parseServiceAccount(text)).toBe(text)
    },
  )

  it.each(['capture', 'a@b/../x:y', 'a b@c.example', 'projects/-/serviceAccounts/a@b.example'])(
    'refuses %s',
    async (text) => {
      expect(await refusal(() => parseServiceAccount(text))).toMatch(/^service-account: got ".*takes an e-mail address/)
    },
  )
})
