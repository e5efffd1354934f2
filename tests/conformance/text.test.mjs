// Group 6 against the server that echoes.
import { textCases } from './cases/text.mjs'
import { register } from './lib/run.mjs'
import { echo } from './lib/targets.mjs'

register(echo, textCases(echo))
