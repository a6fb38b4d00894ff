import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'

/** The run and the job of a runtime token. */
export interface BackendIds {
  run: string
  job: string
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token as the runner passes it to JavaScript actions: `scp` has its permissions. */
export function issueToken(key: string, ids: BackendIds = { run: randomUUID(), job: randomUUID() }): string {
  const now = Math.floor(Date.now() / 1000)
  const head = encode({ typ: 'JWT', alg: 'HS256' })
  const scp = `Actions.GenericRead:00000000 Actions.Results:${ids.run}:${ids.job}`
  const body = encode({ iss: 'sandbox', iat: now, nbf: now, exp: now + 21_600, scp })
  return `${head}.${body}.${sign(key, `${head}.${body}`)}`
}

/** The ids of a valid bearer token, or undefined for anything else. */
export function readBearer(key: string, authorization: string | undefined): BackendIds | undefined {
  const [, head, body, signature] = /^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/i.exec(authorization ?? '') ?? []
  if (head === undefined || body === undefined || signature === undefined) return undefined
  if (!equal(signature, sign(key, `${head}.${body}`))) return undefined
  const claims: unknown = JSON.parse(Buffer.from(body, 'base64url').toString())
  if (typeof claims !== 'object' || claims === null || !('scp' in claims) || !('exp' in claims)) return undefined
  if (Number(claims.exp) * 1000 < Date.now()) return undefined
  const [, run, job] = /(?:^| )Actions\.Results:([^: ]+):([^: ]+)(?: |$)/.exec(String(claims.scp)) ?? []
  return run === undefined || job === undefined ? undefined : { run, job }
}

/** A signature for the query of a blob's URL; `what` is the blob and the allowed operation. */
export function sign(key: string, what: string): string {
  return createHmac('sha256', key).update(what).digest('base64url')
}

export function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
