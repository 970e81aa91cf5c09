#!/bin/sh
# Turns each file of kernels into PTX, whose first line names the sources that it was made of. Needs clang 14 or newer, and
# no CUDA toolkit. A test compares the first lines with the sources.
set -eu
cd "$(dirname "$0")"
export LC_ALL=C
clang=${CLANG:-$(command -v clang-14 || command -v clang)}
for source in ./*.cl; do
    hash=$(cat ./*.h "$source" | sha256sum | cut -d' ' -f1)
    target=${source%.cl}.ptx
    {
        echo "// Made by build.sh from sources with SHA-256 $hash"
        "$clang" -x cl -cl-std=CL1.2 -O3 -ffp-contract=off -target nvptx64-nvidia-cuda \
            -Xclang -target-cpu -Xclang sm_80 -Xclang -target-feature -Xclang +ptx70 \
            -Wall -Werror -I . -S -o - "$source"
    } >"$target.new"
    mv "$target.new" "$target"
done
