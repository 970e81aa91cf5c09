#!/usr/bin/env bash
# Packs the library and uses it as a newcomer does: the README's two programs run from the packages, in empty folders
# and with an empty package cache. Nothing of this machine's configuration changes.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
feed=$work/curvature

# block LANGUAGE: the code that the README shows under "Use it" in this language.
block() {
    awk -v fence='```'"$1" '
        /^## / { on = ($0 == "## Use it") }
        $0 == "```" { take = 0 }
        take { print }
        on && $0 == fence { take = 1 }' "$root/README.md"
}

# expect FILE WORDS...: the output holds each of them.
expect() {
    local file=$1 word
    shift
    cat "$file"
    for word in "$@"; do
        grep -qF -- "$word" "$file" || { echo "The output does not hold '$word'." >&2; exit 1; }
    done
}

dotnet pack --no-build "$root/Curvature.sln" -c Release -o "$feed" --nologo -v quiet
export NUGET_PACKAGES=$work/cache
cat >"$work/nuget.config" <<END
<configuration><packageSources><add key="curvature" value="$feed" /></packageSources></configuration>
END

mkdir "$work/script"
block fsx | sed "s|^#r|#i \"nuget: $feed\"\n&|" >"$work/script/try.fsx"
(cd "$work/script" && dotnet fsi try.fsx >"$work/fsharp.txt")
expect "$work/fsharp.txt" "a product: tensor" "exactly:   " "280"

mkdir "$work/console"
cd "$work/console"
dotnet new console --language 'C#' --name Try --output . >"$work/log"
dotnet add package Curvature.CSharp >"$work/log" || { cat "$work/log"; exit 1; }
block cs >Program.cs
dotnet build -warnaserror --nologo -v quiet >"$work/log" || { cat "$work/log"; exit 1; }
dotnet run --no-build >"$work/csharp.txt"
expect "$work/csharp.txt" "a product: tensor" "exactly:   " "280"

for package in autodiff charts csharp data fsharp kernels; do
    for file in README.md icon.png LICENSE THIRD-PARTY-NOTICES.md; do
        if ! compgen -G "$NUGET_PACKAGES/curvature.$package/*/$file" >/dev/null; then
            echo "curvature.$package has no $file." >&2
            exit 1
        fi
    done
done
