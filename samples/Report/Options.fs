namespace Curvature.Samples.Report

open System
open Argu
open Curvature

/// The element types that arithmetic can be done in, as they are written on the command line.
type Precision =
    | Float32
    | Float64

/// What can be written on the command line.
type Argument =
    | [<Unique>] Data of path: string
    | [<Unique>] Out of folder: string
    | [<Unique>] Seed of number: int64
    | [<Unique>] DType of Precision
    | [<Unique>] Relative_Error of share: float
    | [<Unique>] Max_Products of count: int
    | [<Unique>] Threads of count: int

    interface IArgParserTemplate with
        member argument.Usage =
            match argument with
            | Data _ ->
                "a table of comma-separated numbers, plain or gzip, with the class of each row (0, 1, …) in the last column; by default two spirals, made here"
            | Out _ -> "the folder to write report.json to, beside what is printed"
            | Seed _ -> "decides everything random: the same seed gives the same bits (default 0)"
            | DType _ -> "the element type of all arithmetic (default float64)"
            | Relative_Error _ ->
                "go on until the trace is known to this share of itself, with 95 % confidence (default 0.05)"
            | Max_Products _ -> "but stop after this many products with the Hessian (default 200000)"
            | Threads _ -> "how many threads share a product (default: all processors); it does not change the result"

/// What the program is asked to do.
type Options =
    {
        Data: string option
        Out: string option
        Seed: int64
        DType: Curvature.DType
        RelativeError: float
        MaxProducts: int
        Threads: int option
    }

/// What a command line turned out to be.
type CommandLine =
    | Run of Options
    | Help of text: string
    | Mistake of message: string

[<RequireQualifiedAccess>]
module CommandLine =

    let private toOptions (results: ParseResults<Argument>) : CommandLine =
        let options =
            {
                Data = results.TryGetResult Argument.Data
                Out = results.TryGetResult Argument.Out
                Seed = results.GetResult(Argument.Seed, 0L)
                DType =
                    match results.GetResult(Argument.DType, Precision.Float64) with
                    | Precision.Float32 -> Curvature.DType.Float32
                    | Precision.Float64 -> Curvature.DType.Float64
                RelativeError = results.GetResult(Argument.Relative_Error, 0.05)
                MaxProducts = results.GetResult(Argument.Max_Products, 200_000)
                Threads = results.TryGetResult Argument.Threads
            }

        if not (Double.IsFinite options.RelativeError && options.RelativeError > 0.0) then
            Mistake $"--relative-error: a number above 0 is needed, and it is {options.RelativeError}"
        elif options.MaxProducts < 2 then
            Mistake $"--max-products: an error bar needs at least 2 products, and the number is {options.MaxProducts}"
        elif options.Threads |> Option.exists (fun threads -> threads < 1 || threads > 1024) then
            Mistake $"--threads: a number from 1 to 1024 is needed, and it is {options.Threads.Value}"
        else
            Run options

    /// Reads a command line.
    let parse (arguments: string[]) : CommandLine =
        let parser = ArgumentParser.Create<Argument>(programName = "Report")

        try
            let results = parser.ParseCommandLine(arguments, raiseOnUsage = false)

            if results.IsUsageRequested then
                Help(parser.PrintUsage())
            else
                toOptions results
        with :? ArguParseException as error ->
            // Its first line says what is wrong; the others repeat the usage.
            let first = error.Message.Split '\n' |> Array.head
            Mistake(first.Replace("ERROR: ", "").Trim())
