import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import tls from 'node:tls'
import { readRegularFile } from './read-file.ts'

/** Where Linux distributions keep all authorities in one file, and in one folder (Go: crypto/x509, root_linux.go). */
const systemFiles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
]
const systemFolders = ['/etc/ssl/certs', '/etc/pki/tls/certs']

let isDone = false

/**
 * From here on, servers without an authority of their own are also checked against the authorities of the system, or of SSL_CERT_FILE and
 * SSL_CERT_DIR, as kubectl does it. Node alone trusts its own list and NODE_EXTRA_CA_CERTS. Takes some 20 ms, so it is called only before a
 * connection to such a server, and works once in a process.
 */
export function trustSystemAuthorities(env: NodeJS.ProcessEnv = process.env): void {
  // Node 24.0 to 24.4 cannot change the list.
  if (isDone || typeof tls.setDefaultCACertificates !== 'function') return
  isDone = true
  const known = tls.getCACertificates('default')
  const bodies = new Set(known.map(bodyOf))
  const added = systemAuthorities(env).filter((pem) => {
    const body = bodyOf(pem)
    return !bodies.has(body) && bodies.add(body)
  })
  if (added.length === 0) return
  try {
    tls.setDefaultCACertificates([...known, ...added])
  } catch {
    tls.setDefaultCACertificates([...known, ...added.filter(isValid)])
  }
}

/** PEM of each certificate. A file or a folder that cannot be read is left out, as in Go. */
function systemAuthorities(env: NodeJS.ProcessEnv): readonly string[] {
  if (process.platform === 'darwin' || process.platform === 'win32') return tls.getCACertificates('system')
  const givenFile = env['SSL_CERT_FILE']
  const givenFolders = env['SSL_CERT_DIR']
  const folders = givenFolders ? givenFolders.split(':') : systemFolders
  const texts = folders.flatMap((folder) => namesIn(folder).map((name) => textAt(join(folder, name)) ?? ''))
  const files = givenFile ? [givenFile] : systemFiles
  for (const file of files) {
    const text = textAt(file)
    if (text === undefined) continue
    texts.push(text)
    break
  }
  return texts.flatMap((text) => text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [])
}

/**
 * Without the links from a hash to a file of the same folder, and without those that update-ca-certificates makes: their files are in
 * ca-certificates.crt as well, and reading them takes 50 ms.
 */
function namesIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    const hasAll = entries.some(({ name }) => name === 'ca-certificates.crt')
    return entries
      .filter((entry) => {
        if (!entry.isSymbolicLink()) return !entry.isDirectory()
        const target = readlinkSync(join(folder, entry.name))
        return target.includes('/') && !(hasAll && /^\/usr\/(local\/)?share\/ca-certificates\//.test(target))
      })
      .map(({ name }) => name)
  } catch {
    return []
  }
}

function textAt(path: string): string | undefined {
  try {
    return readRegularFile(path).toString('latin1')
  } catch {
    return undefined
  }
}

function bodyOf(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, '')
}

function isValid(pem: string): boolean {
  try {
    tls.createSecureContext({ ca: pem })
    return true
  } catch {
    return false
  }
}
