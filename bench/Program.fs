module Curvature.Bench.Program

open System
open System.Reflection
open BenchmarkDotNet.Running

let private usage =
    """usage:
  compare [--baseline FILE]... [--only NAME] [--threads N,N,...] [--data FOLDER] [--json FILE] [--csv FILE]
                                                             operations beside a baseline's figures, each in its process
  jobs [--baseline FILE]... [--only NAME] [--data FOLDER]    whole tasks beside a baseline's products
  profile [--only NAME] [--data FOLDER]                      kernels of a product beside what the machine can do
  memory [--only NAME] [--data FOLDER]                       what plans of products and forms hold
  dataset --data FOLDER                                      time and memory of a trace over a whole data set
  points --data FOLDER                                       memory that Hessians at several points in turn take
  gemm [N]                                                                   square matrix products beside OpenBLAS
  tables [TRIALS [SPECTRUM]]                                 errors of estimators beside published ones
  budget [REPETITIONS] [--data FOLDER]                       products that a trace to 1 % takes, by method
  jets                                                       Taylor mode beside nested derivatives
  compile                                                    time from functions to plans, and how it grows
  sparse                                                     pattern, colours, products and recovery of sparse Hessians
  coverage-slq [REPETITIONS]                                 how often intervals of Lanczos quadrature hold the truth
  automatic [REPETITIONS]                                    costs of Automatic beside those of the best method
  sequential [REPETITIONS]                                   coverage and cost of rules with a relative error
  coverage [REPETITIONS] [--estimator NAME] [--spectrum NAME] [--dtype float32|float64] [--products N,N,...]
                                                             how often 95 % intervals hold the truth, at budgets up to n
  micro [BenchmarkDotNet options]                                            micro-benchmarks of single kernels
The residual network runs where --data names a folder with resnet20_cifar10.safetensors and cifar10_test_1000.bin,
and the budget's network on handwritten digits where it has digits.csv.gz."""

let private noOptions: CompareOptions =
    {
        Baselines = []
        Only = ""
        Threads = [ Environment.ProcessorCount ]
        Data = None
        Json = None
        Csv = None
    }

/// Numbers with commas between.
let private (|Numbers|_|) (text: string) =
    let numbers = text.Split ',' |> Array.map Int32.TryParse

    if numbers |> Array.forall (fun (isNumber, number) -> isNumber && number > 0) then
        Some(numbers |> Array.map snd |> List.ofArray)
    else
        None

let rec private parse command options arguments =
    match arguments with
    | [] -> Ok options
    | "--baseline" :: path :: rest when command = "compare" || command = "jobs" ->
        parse command { options with Baselines = options.Baselines @ [ path ] } rest
    | "--threads" :: Numbers threads :: rest when command = "compare" ->
        parse command { options with Threads = threads } rest
    | "--json" :: path :: rest when command = "compare" -> parse command { options with Json = Some path } rest
    | "--csv" :: path :: rest when command = "compare" -> parse command { options with Csv = Some path } rest
    | "--only" :: name :: rest -> parse command { options with Only = name } rest
    | "--data" :: folder :: rest -> parse command { options with Data = Some folder } rest
    | unknown :: _ -> Error $"{command}: '{unknown}' is not an option, or lacks its value\n{usage}"

let private withOptions command arguments (run: CompareOptions -> unit) =
    match parse command noOptions arguments with
    | Ok options ->
        try
            run options
            0
        with
        | :? IO.IOException
        | :? Curvature.CurvatureException as error ->
            eprintfn $"{command}: {error.Message}"
            2
    | Error message ->
        eprintfn $"{message}"
        2

/// Options of the measurement of coverage.
type private CoverageOptions =
    {
        Estimator: string
        Spectrum: string
        Types: Curvature.DType list
        Products: int list
    }

let rec private parseCoverage options arguments =
    match arguments with
    | [] -> Ok options
    | "--estimator" :: name :: rest -> parseCoverage { options with Estimator = name } rest
    | "--spectrum" :: name :: rest -> parseCoverage { options with Spectrum = name } rest
    | "--dtype" :: "float32" :: rest -> parseCoverage { options with Types = [ Curvature.DType.Float32 ] } rest
    | "--dtype" :: "float64" :: rest -> parseCoverage { options with Types = [ Curvature.DType.Float64 ] } rest
    | "--products" :: Numbers products :: rest -> parseCoverage { options with Products = products } rest
    | unknown :: _ -> Error $"coverage: '{unknown}' is not an option, or lacks its value\n{usage}"

let private coverage repetitions arguments =
    let types = [ Curvature.DType.Float64; Curvature.DType.Float32 ]

    match parseCoverage { Estimator = ""; Spectrum = ""; Types = types; Products = [] } arguments with
    | Ok options ->
        Coverage.run repetitions options.Estimator options.Spectrum options.Types options.Products
        0
    | Error message ->
        eprintfn $"{message}"
        2

let private isPositive (text: string) = fst (Int32.TryParse text) && int text > 0

[<EntryPoint>]
let main arguments =
    match List.ofArray arguments with
    | "compare" :: rest -> withOptions "compare" rest Compare.run
    | "operation" :: workload :: dtype :: name :: rest ->
        withOptions "operation" rest (fun options -> Compare.operation options.Data workload dtype name)
    | "jobs" :: rest -> withOptions "jobs" rest (fun options -> Jobs.run options.Data options.Baselines options.Only)
    | "profile" :: rest -> withOptions "profile" rest (fun options -> Profile.run options.Data options.Only)
    | "memory" :: rest -> withOptions "memory" rest (fun options -> PlanMemory.run options.Data options.Only)
    | "dataset" :: rest ->
        withOptions "dataset" rest (fun options ->
            match options.Data with
            | Some folder -> DataSet.run folder
            | None -> eprintfn $"dataset: --data is needed\n{usage}")
    | "points" :: case :: rest when not (case.StartsWith "--") ->
        withOptions "points" rest (fun options -> Points.Case(options.Data, case))
    | "points" :: rest ->
        withOptions "points" rest (fun options ->
            match options.Data with
            | Some folder -> Points.Run folder
            | None -> eprintfn $"points: --data is needed\n{usage}")
    | [ "gemm" ] ->
        MatrixProducts.run 1024
        0
    | [ "gemm"; size ] when isPositive size ->
        MatrixProducts.run (int size)
        0
    | [ "tables" ] ->
        Tables.run 60 ""
        0
    | [ "tables"; trials ] when isPositive trials ->
        Tables.run (int trials) ""
        0
    | [ "tables"; trials; spectrum ] when isPositive trials ->
        Tables.run (int trials) spectrum
        0
    | "budget" :: repetitions :: rest when isPositive repetitions ->
        withOptions "budget" rest (fun options -> Budget.run options.Data (int repetitions))
    | "budget" :: rest -> withOptions "budget" rest (fun options -> Budget.run options.Data 20)
    | [ "jets" ] ->
        Jets.run ()
        0
    | [ "compile" ] ->
        CompileTime.run ()
        0
    | [ "sparse" ] ->
        Sparse.run ()
        0
    | [ "coverage-slq" ] ->
        SpectralCoverage.run 2000
        0
    | [ "coverage-slq"; repetitions ] when isPositive repetitions ->
        SpectralCoverage.run (int repetitions)
        0
    | [ "automatic" ] ->
        AutomaticChoice.table 60
        0
    | [ "automatic"; repetitions ] when isPositive repetitions ->
        AutomaticChoice.table (int repetitions)
        0
    | [ "sequential" ] ->
        Sequential.table 2000
        0
    | [ "sequential"; repetitions ] when isPositive repetitions ->
        Sequential.table (int repetitions)
        0
    | "coverage" :: repetitions :: rest when isPositive repetitions -> coverage (int repetitions) rest
    | "coverage" :: rest -> coverage 12_000 rest
    | "micro" :: rest ->
        BenchmarkSwitcher.FromAssembly(Assembly.GetExecutingAssembly()).Run(List.toArray rest) |> ignore
        0
    | _ ->
        eprintfn $"{usage}"
        2
