{
  "variables": {
    # Inner loops: every file is compiled once per instruction set, with VOX_NS as its namespace. See README.md.
    "simd_sources": ["<!@(node -p \"['simd/tensor', 'simd/volume', 'simd/data'].flatMap(d => require('fs').readdirSync(d).filter(f => f.endsWith('.cc')).map(f => d + '/' + f)).join(' ')\")"],
    "addon_sources": ["<!@(node -p \"['.', 'tensor', 'volume', 'data'].flatMap(d => require('fs').readdirSync(d).filter(f => f.endsWith('.cc')).map(f => d + '/' + f)).join(' ')\")"],
    # The loader takes only a build of its own version.
    "package_version": "<!(node -p \"require('../package.json').version\")",
    "napi_include": "<!(node -p \"require('node-addon-api').include_dir\")",
    "optimize": ["-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-Wno-psabi", "-fvisibility=hidden"]
  },
  "targets": [
    {
      "target_name": "simd_base",
      "type": "static_library",
      "sources": ["<@(simd_sources)"],
      "defines": ["VOX_NS=vox_base", "VOX_VECTOR_BYTES=16"],
      "include_dirs": ["."],
      "cflags_cc": ["<@(optimize)", "-fPIC"],
      "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["<@(optimize)"], "CLANG_CXX_LANGUAGE_STANDARD": "c++17" }
    },
    {
      "target_name": "voxstream",
      "sources": ["<@(addon_sources)"],
      "include_dirs": [".", "<(napi_include)"],
      "dependencies": ["simd_base"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS", "VOX_VERSION=<(package_version)"],
      "cflags_cc": ["<@(optimize)"],
      "ldflags": ["-pthread"],
      "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["<@(optimize)"], "CLANG_CXX_LANGUAGE_STANDARD": "c++17" },
      "conditions": [
        ["target_arch=='x64'", { "dependencies": ["simd_avx2", "simd_avx512"], "defines": ["VOX_X64=1"] }]
      ]
    }
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {
          "target_name": "simd_avx2",
          "type": "static_library",
          "sources": ["<@(simd_sources)"],
          "defines": ["VOX_NS=vox_avx2", "VOX_VECTOR_BYTES=32"],
          "include_dirs": ["."],
          "cflags_cc": ["<@(optimize)", "-fPIC", "-mavx2", "-mfma", "-mf16c"]
        },
        {
          "target_name": "simd_avx512",
          "type": "static_library",
          "sources": ["<@(simd_sources)"],
          "defines": ["VOX_NS=vox_avx512", "VOX_VECTOR_BYTES=64"],
          "include_dirs": ["."],
          "cflags_cc": ["<@(optimize)", "-fPIC", "-mavx2", "-mfma", "-mf16c", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mprefer-vector-width=512"]
        }
      ]
    }]
  ]
}
