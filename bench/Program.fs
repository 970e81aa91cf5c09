module Curvature.Bench.Program

open System
open System.Reflection
open BenchmarkDotNet.Running

let private usage =
    """usage:
  compare [--baseline FILE]... [--only NAME] [--json FILE]   workloads beside a baseline's figures
  profile [NAME]                                             time of each kernel of a product
  gemm [N]                                                   square matrix products beside OpenBLAS
  micro [BenchmarkDotNet options]                            micro-benchmarks of single kernels"""

let rec private compare arguments baselines only json =
    match arguments with
    | [] ->
        Compare.run (List.rev baselines) only json
        0
    | "--baseline" :: path :: rest -> compare rest (path :: baselines) only json
    | "--only" :: name :: rest -> compare rest baselines name json
    | "--json" :: path :: rest -> compare rest baselines only (Some path)
    | unknown :: _ ->
        eprintfn $"compare: '{unknown}' is not an option, or lacks its value\n{usage}"
        2

[<EntryPoint>]
let main arguments =
    match List.ofArray arguments with
    | "compare" :: rest ->
        try
            compare rest [] "" None
        with :? IO.IOException as error ->
            eprintfn $"compare: {error.Message}"
            2
    | [ "profile" ] ->
        Profile.run ""
        0
    | [ "profile"; name ] ->
        Profile.run name
        0
    | [ "gemm" ] ->
        MatrixProducts.run 1024
        0
    | [ "gemm"; size ] when fst (Int32.TryParse size) && int size > 0 ->
        MatrixProducts.run (int size)
        0
    | "micro" :: rest ->
        BenchmarkSwitcher.FromAssembly(Assembly.GetExecutingAssembly()).Run(List.toArray rest) |> ignore
        0
    | _ ->
        eprintfn $"{usage}"
        2
