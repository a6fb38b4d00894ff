/** A file of this action's repository at the version that runs; the path alone where the action runs from the workflow's own checkout. */
export function documentAddress(path: string, env: NodeJS.ProcessEnv): string {
  const repository = env['GITHUB_ACTION_REPOSITORY']
  const ref = env['GITHUB_ACTION_REF']
  return repository && ref ? `https://github.com/${repository}/blob/${ref}/${path}` : path
}
