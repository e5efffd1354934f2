// Folders of src/ are layers: each includes only from itself and from those below it.
//
// A header in include/hubbub names its layer in its first line, as in "Layer: net.".  A header
// beside the sources is private to its folder.  The libraries that one layer is there to hide are
// included in that layer alone.
import { basename, dirname } from 'node:path'
import { files, read, report } from './files.mjs'

const LAYERS = [
  'base', 'config', 'net', 'http', 'ws', 'protocol', 'auth', 'store', 'room', 'session', 'server',
]

const HIDDEN_LIBRARIES = { 'sqlite3.h': 'store', 'wslay/wslay.h': 'ws', 'llhttp.h': 'http' }

const complaints = []
const interfaceLayers = new Map()
for (const file of files.filter((name) => /^include\/hubbub\/.*\.h$/.test(name))) {
  const layer = /Layer: (\w+)\./.exec(read(file).split('\n', 3).join('\n'))?.[1]
  if (LAYERS.includes(layer)) interfaceLayers.set(basename(file), layer)
  else complaints.push(`${file}:1: its first comment must name its layer: /* Layer: ${LAYERS.join('|')}. */`)
}

function layerOf(file) {
  return file.startsWith('include/') ? interfaceLayers.get(basename(file)) : file.split('/')[1]
}

function checkInclude(file, layer, name) {
  const hidingLayer = HIDDEN_LIBRARIES[name]
  if (hidingLayer !== undefined) {
    return hidingLayer === layer ? null : `<${name}> is for ${hidingLayer}/ alone`
  }
  if (name.startsWith('hubbub/')) {
    const other = interfaceLayers.get(name.slice('hubbub/'.length))
    if (other === undefined) return `there is no interface ${name}`
    return LAYERS.indexOf(other) <= LAYERS.indexOf(layer)
      ? null
      : `${layer}/ includes ${name} of ${other}/, a layer above it`
  }
  const folder = name.includes('/') ? name.split('/')[0] : layer
  return LAYERS.includes(folder) && folder !== layer
    ? `${name} is private to ${folder}/: share an interface in include/hubbub`
    : null
}

for (const file of files.filter((name) => /^(src\/\w+|include\/hubbub)\/.*\.[ch]$/.test(name))) {
  const layer = layerOf(file)
  if (layer === undefined) continue
  if (!LAYERS.includes(layer)) {
    complaints.push(`${file}:1: ${dirname(file)} is no layer`)
    continue
  }
  read(file)
    .split('\n')
    .forEach((line, index) => {
      const name = /^\s*#\s*include\s*[<"]([^>"]+)[>"]/.exec(line)?.[1]
      const complaint = name === undefined ? null : checkInclude(file, layer, name)
      if (complaint !== null) complaints.push(`${file}:${index + 1}: ${complaint}`)
    })
}
report(complaints)
