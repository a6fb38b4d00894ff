import { analyzeCommand } from './app/analyze-command.ts'

process.exitCode = await analyzeCommand(process.argv.slice(2))
