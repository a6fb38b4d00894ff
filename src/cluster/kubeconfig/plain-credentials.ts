import type { RequestOptions } from 'node:https'
import { readRegularFile } from '../../common/read-file.ts'
import { pathIn, textOf, type Entry, type UserEntry } from './entry.ts'

/**
 * Whether only client-node's KubeConfig can make the credentials: for an auth-provider. It is 18 MB of code, so it is loaded for
 * these alone (bench/start.ts).
 */
export function needsClientNode(user: UserEntry): boolean {
  return user.fields['auth-provider'] != null
}

/**
 * TLS and authentication from the fields of one cluster and one user: certificate, key, token, user name and password. Files are read anew at
 * each call, because they are replaced when credentials are rotated. A file takes precedence over data.
 * @throws UnreadableFile
 */
export function plainCredentials(cluster: Entry, user: UserEntry): RequestOptions {
  const cert = fileOrData(user, 'client-certificate')
  const key = cert === undefined ? undefined : fileOrData(user, 'client-key')
  const servername = textOf(cluster.fields['tls-server-name'])
  const token = textOf(user.fields['token'])
  const username = textOf(user.fields['username'])
  return {
    ...(cluster.fields['insecure-skip-tls-verify'] === true ? { rejectUnauthorized: false } : {}),
    ...(servername === undefined ? {} : { servername }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(username === undefined ? {} : { auth: `${username}:${textOf(user.fields['password']) ?? ''}` }),
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
  }
}

function fileOrData(user: UserEntry, field: 'client-certificate' | 'client-key'): Buffer | undefined {
  const path = pathIn(user, field)
  if (path !== undefined) return readRegularFile(path)
  const data = textOf(user.fields[`${field}-data`])
  return data === undefined ? undefined : Buffer.from(data, 'base64')
}
