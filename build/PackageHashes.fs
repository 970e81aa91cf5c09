namespace Build

open System
open System.IO
open System.Security.Cryptography
open System.Text.Json
open System.Text.RegularExpressions

/// A package of a version, by a name in lower case, as the folders of the packages have it.
type Package = { Name: string; Version: string }

/// Whether packages are, byte by byte, those that were recorded.
[<RequireQualifiedAccess>]
module PackageHashes =

    /// A version as folders have it: with three numbers at least, which a lock may shorten.
    let private normal (version: string) =
        let numbers, rest =
            match version.IndexOf '-' with
            | -1 -> version, ""
            | dash -> version[.. dash - 1], version[dash..]

        let missing = max 0 (2 - (numbers |> Seq.filter (fun c -> c = '.') |> Seq.length))
        numbers + String.replicate missing ".0" + rest.ToLowerInvariant()

    let private package (name: string) (version: string) = { Name = name.ToLowerInvariant(); Version = normal version }

    /// The packages of a paket.lock: four spaces, a name, and a version in parentheses.
    let ofLock (text: string) : Package list =
        [
            for found in Regex.Matches(text, @"^ {4}([^\s(]+) \(([^)]+)\)", RegexOptions.Multiline) ->
                package found.Groups[1].Value found.Groups[2].Value
        ]

    /// The packages of a dotnet-tools.json.
    let ofTools (text: string) : Package list =
        use document = JsonDocument.Parse text

        [
            for tool in document.RootElement.GetProperty("tools").EnumerateObject() ->
                package tool.Name (tool.Value.GetProperty("version").GetString())
        ]

    let private file (cache: string) (package: Package) =
        Path.Combine(cache, package.Name, package.Version, $"{package.Name}.{package.Version}.nupkg")

    /// The SHA-512 of a package's file, in Base64; nothing where the file is not there.
    let hash (cache: string) (package: Package) : string option =
        match file cache package with
        | path when File.Exists path ->
            use stream = File.OpenRead path
            Some(Convert.ToBase64String(SHA512.HashData stream))
        | _ -> None

    /// The records of a file: a name, a version and a hash on each line, but for comments.
    let parse (text: string) : Map<Package, string> =
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries ||| StringSplitOptions.TrimEntries)
        |> Array.filter (fun line -> not (line.StartsWith '#'))
        |> Array.map (fun line ->
            match line.Split ' ' with
            | [| name; version; hash |] -> package name version, hash
            | _ -> raise (InvalidDataException $"a record is a name, a version and a hash, and this one is: {line}"))
        |> Map.ofArray

    /// What is wrong with packages that are wanted, by the records and the cache; nothing where all is right.
    let problems (recorded: Map<Package, string>) (wanted: Package list) (cache: string) : string list =
        let name package = $"{package.Name} {package.Version}"

        [
            for package in wanted do
                match Map.tryFind package recorded, hash cache package with
                | None, _ -> $"{name package} is not recorded"
                | _, None -> $"{name package} is not there: {file cache package}"
                | Some expected, Some actual when expected <> actual ->
                    $"{name package} has other bytes than those recorded: its SHA-512 is {actual}, and not {expected}"
                | _ -> ()

            for package in recorded.Keys do
                if not (List.contains package wanted) then
                    $"{name package} is recorded, and neither locked nor a tool"
        ]

    /// The records of packages as they are in a cache.
    let record (wanted: Package list) (cache: string) : string =
        let lines =
            [
                for package in List.sort wanted do
                    match hash cache package with
                    | Some hash -> $"{package.Name} {package.Version} {hash}"
                    | None -> raise (FileNotFoundException("a package is not there", file cache package))
            ]

        "# The SHA-512 of each package of paket.lock and .config/dotnet-tools.json. Written by:\n"
        + "# dotnet msbuild build/restore.proj -t:Lock\n"
        + String.Join("\n", lines)
        + "\n"
