import tseslint from 'typescript-eslint'

/** Who may import whom (docs: the rooms). A room that is not named here may import nothing but libraries. */
const rooms = {
  runner: [],
  cluster: [],
  google: [],
  pcap: [],
  capture: ['cluster', 'google', 'pcap'],
  analysis: ['pcap'],
  report: ['analysis'],
}

/** What every room may use: small, and no room of their own. */
const shared = ['errors', 'garbage', 'lines', 'proxy', 'quantities']

const roomRules = Object.entries(rooms).map(([room, allowed]) => ({
  files: [`src/${room}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^\\.\\./(?!(${[...shared, ...allowed].join('|')})(/|\\.ts$)).*`,
            message: `src/${room} may import only ${[...shared, ...allowed].join(', ')}`,
          },
        ],
      },
    ],
  },
}))

export default tseslint.config(
  { ignores: ['dist', 'coverage', 'node_modules', 'demo'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
    },
  },
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-floating-promises': ['error'] } },
  ...roomRules,
)
