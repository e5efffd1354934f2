// The same cases against the product, whose texts are requests: each gets its reply.
import { frameCases } from './cases/frames.mjs'
import { invalidTextCases } from './cases/text.mjs'
import { hubbub, register } from './lib/run.mjs'

register(hubbub, [...frameCases(hubbub), ...invalidTextCases()])
