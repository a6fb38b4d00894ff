import { createPublicKey, verify } from 'node:crypto'
import type { GoogleAnswer, GoogleRequest, World } from './world.ts'

/** The OAuth token endpoint: a service account's own key, or a user's refresh token. `keys`: public PEM by address. */
export function answerOauth(
  request: GoogleRequest,
  world: World,
  keys: ReadonlyMap<string, string>,
  refreshTokens: ReadonlyMap<string, string>,
): GoogleAnswer | undefined {
  if (request.path !== '/token' || request.method !== 'POST') return undefined
  const operation = 'oauth.token'
  const fields = new URLSearchParams(request.body)
  const who =
    fields.get('grant_type') === 'refresh_token'
      ? refreshTokens.get(fields.get('refresh_token') ?? '')
      : signerOf(fields.get('assertion') ?? '', keys)
  if (who === undefined) {
    return {
      operation,
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
    }
  }
  const body = { access_token: world.tokens.issue(who, 'ya29.a.', 3600), expires_in: 3600, token_type: 'Bearer' }
  return { operation, status: 200, body }
}

function signerOf(assertion: string, keys: ReadonlyMap<string, string>): string | undefined {
  const [, content, body, signature] = /^([\w-]+\.([\w-]+))\.([\w-]+)$/.exec(assertion) ?? []
  if (content === undefined || body === undefined || signature === undefined) return undefined
  const { iss } = JSON.parse(Buffer.from(body, 'base64url').toString()) as { iss?: string }
  const key = keys.get(iss ?? '')
  if (key === undefined) return undefined
  const good = verify('sha256', Buffer.from(content), createPublicKey(key), Buffer.from(signature, 'base64url'))
  return good ? iss : undefined
}
