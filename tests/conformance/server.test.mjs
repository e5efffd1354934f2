// The cases against the product, whose texts are requests: each gets its reply.
import { beyondCases } from './cases/beyond.mjs'
import { closingCases } from './cases/closing.mjs'
import { framingCases } from './cases/framing.mjs'
import { boundedCases } from './cases/large.mjs'
import { textCases } from './cases/text.mjs'
import { register } from './lib/run.mjs'
import { hubbub } from './lib/targets.mjs'

register(hubbub, [...framingCases(hubbub), ...closingCases(hubbub), ...textCases(hubbub), ...boundedCases(hubbub), ...beyondCases(hubbub)])
