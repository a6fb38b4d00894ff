import { inPath, isExecutable } from './processes.ts'

/**
 * A requirement of a test that this machine does not have: "sshd", or with a fix that test/reporter.js does not know, after a semicolon:
 * "kubectl; apt-get install kubernetes-client". Undefined when no requirement is missing. test/reporter.js builds its table from these texts.
 */
export type Lack = string | undefined

/** `fix` is needed for a program that scripts/system-packages.mjs does not install. */
export const needsProgram = (name: string, fix?: string): Lack =>
  inPath(name) || isExecutable(`/usr/sbin/${name}`) ? undefined : fix === undefined ? name : `${name}; ${fix}`

export const needsRoot: Lack = process.getuid?.() === 0 ? undefined : 'root'

/** The first missing requirement. */
export const firstLack = (...lacks: readonly Lack[]): Lack => lacks.find((lack) => lack !== undefined)

/** The end of a title with the reason why the test is skipped; empty when the test runs. */
export const skipped = (lack: Lack): string => (lack === undefined ? '' : ` (skipped: ${lack})`)

/** `describe`; skipped, with the reason in the title, when a requirement is missing. */
export function describeWith(lack: Lack, title: string, body: () => void): void {
  ;(lack === undefined ? describe : describe.skip)(title + skipped(lack), body)
}

/** `it`; skipped, with the reason in the title, when a requirement is missing. */
export function itWith(lack: Lack, title: string, body: jest.ProvidesCallback, timeoutMs?: number): void {
  ;(lack === undefined ? it : it.skip)(title + skipped(lack), body, timeoutMs)
}

/** `it.concurrent`; skipped, with the reason in the title, when a requirement is missing. */
export function concurrentWith(lack: Lack, title: string, body: () => Promise<void>): void {
  ;(lack === undefined ? it.concurrent : it.concurrent.skip)(title + skipped(lack), body)
}
