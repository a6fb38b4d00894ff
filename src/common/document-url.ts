/** The address of a file of this repository at the version that runs; its path where the action runs from the workflow's own checkout. */
export function documentUrl(path: string, env: NodeJS.ProcessEnv = process.env): string {
  if (path.startsWith('https://')) return path
  const repository = env['GITHUB_ACTION_REPOSITORY']
  const ref = env['GITHUB_ACTION_REF']
  return repository && ref ? `https://github.com/${repository}/blob/${ref}/${path}` : path
}
