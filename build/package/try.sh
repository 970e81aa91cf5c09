#!/usr/bin/env bash
# Packs the library and uses it as a newcomer does: the README's two programs and all samples run from the packages, in
# empty folders and with an empty package cache. Nothing of this machine's configuration changes.
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

# with_feed: a script whose packages come from the feed too.
with_feed() {
    sed "0,/^#r/s|^#r|#i \"nuget: $feed\"\n&|"
}

# The bridge to TorchSharp is packed, and holds no native library.
packed=$(stat -c %s "$feed"/Curvature.TorchSharp.*.nupkg)
[ "$packed" -lt 2000000 ] || { echo "Curvature.TorchSharp has $packed bytes." >&2; exit 1; }

mkdir "$work/script"
block fsx | with_feed >"$work/script/try.fsx"
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

for package in autodiff charts csharp data fsharp fsharp.laws kernels; do
    for file in README.md icon.png LICENSE THIRD-PARTY-NOTICES.md; do
        if ! compgen -G "$NUGET_PACKAGES/curvature.$package/*/$file" >/dev/null; then
            echo "curvature.$package has no $file." >&2
            exit 1
        fi
    done
done

# sample FILE WORDS...: a sample runs, and its output holds each of the words.
sample() {
    local file=$1
    shift
    echo "== $file"
    if [[ $file == *.fsx ]]; then
        with_feed <"$root/samples/$file" >"$file"
        dotnet fsi "$file" >"$file.txt" 2>&1 || { cat "$file.txt"; exit 1; }
    else
        cp "$root/samples/$file" .
        dotnet run "$file" >"$file.txt" 2>&1 || { cat "$file.txt"; exit 1; }
    fi
    expect "$file.txt" "$@"
}

mkdir "$work/samples"
cd "$work/samples"
cp "$root"/samples/*.fs .
sample quickstart.fsx "trace, exactly: 280" "4.bias: "
sample own-product.fsx "trace 156" "algebraic connectivity 0.4685"
sample spectral-density.fsx "spectral-density.svg is written"
sample landscape.fsx "landscape.svg is written"
sample trace-penalty.fsx "penalty 0.003"
sample research-validation.fsx "Gaussian: 80 of 80 checks hold" "signs: 80 of 80 checks hold"
sample normalizing-flow.fsx "  flow "
sample training-monitor.fsx "training-monitor.svg is written"
sample physics-informed.fsx "mean squared residual"
sample quickstart.cs "exact trace" "2.bias"
sample own-product.cs "trace 600" "smallest eigenvalues"
sample spectral-density.cs "spectral-density.svg is written"
sample landscape.cs "landscape.svg is written"
for file in "$root"/samples/*.fsx "$root"/samples/*.cs; do
    [ -f "$(basename "$file").txt" ] || { echo "$(basename "$file") was not run." >&2; exit 1; }
done
