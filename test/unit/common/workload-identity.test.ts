import { parseProvider, parseServiceAccount } from '../../../src/common/workload-identity.ts'
import { refusal } from '../../support/refusal.ts'

const name = 'projects/123456789012/locations/global/workloadIdentityPools/github/providers/octo-org'

describe('parseProvider', () => {
  it.each([
    name,
    `//iam.googleapis.com/${name}`,
    `https://iam.googleapis.com/${name}`,
    `https://iam.googleapis.com/v1/${name}`,
    ` ${name}/ `,
  ])('accepts %s', (text) => {
    expect(parseProvider(text)).toEqual({ name, project: '123456789012', pool: 'github', id: 'octo-org' })
  })

  it.each([
    ["a pool's name", name.replace(/\/providers.*/, ''), /is the name of a pool.*workload-identity-pool=github`/],
    [
      'a project ID instead of the project number',
      name.replace('123456789012', 'shop-prod'),
      /has the id of the project in place of its number\. .*gcloud projects describe shop-prod/,
    ],
    ['another location', name.replace('global', 'europe-west1'), /pools are in the location global/],
    [
      'something else',
      'octo-org',
      /is not the name of a workload identity provider\. Set it to projects\/NUMBER\/locations\/global/,
    ],
    ['a name with a newline', `${name}\nx`, /Set it to projects\/NUMBER/],
    ['a bad pool', name.replace('github', 'Git Hub'), /Set it to projects\/NUMBER/],
    [
      'a bad provider',
      name.replace('octo-org', 'octo_org'),
      /"octo_org", which is not a valid name of a pool or a provider/,
    ],
  ])('rejects %s', async (_what, text, expected) => {
    const message = await refusal(() => parseProvider(text))
    expect(message).toMatch(/^workload-identity-provider: "/)
    expect(message).toMatch(expected)
  })
})

describe('parseServiceAccount', () => {
  it.each(['capture@shop-prod.iam.gserviceaccount.com', '123-compute@developer.gserviceaccount.com'])(
    'accepts %s',
    (text) => {
      expect(parseServiceAccount(text)).toBe(text)
    },
  )

  it.each(['capture', 'a@b/../x:y', 'a b@c.example', 'projects/-/serviceAccounts/a@b.example'])(
    'rejects %s',
    async (text) => {
      expect(await refusal(() => parseServiceAccount(text))).toMatch(
        /^service-account: ".*" is not the e-mail address of a service account/,
      )
    },
  )
})
