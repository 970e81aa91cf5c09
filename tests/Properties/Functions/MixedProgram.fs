namespace Curvature.Tests.Properties

open System
open System.Collections.Generic
open Curvature
open Curvature.FSharp

/// A random program of two flat inputs, slow and fast, in which every operand is an input, a constant, a slow value, a
/// result of an earlier step, or a view of one of these.
[<NoEquality; NoComparison>]
type internal MixedProgram =
    {
        Name: string
        Seed: int
        Theta: Tensor
        X: Tensor
        SlowShapes: int list list
        FastShapes: int list list
        /// Whether the inputs are cut by one split, or piece by piece.
        Splits: bool
        Steps: MixedStep list
        Outputs: Source list
    }

    /// The pieces of the inputs, and the results of all steps.
    member private p.Environment(theta: Tensor, x: Tensor) : Curvature.Tests.Properties.Environment =
        let cut (flat: Tensor) (shapes: int list list) =
            let sizes = shapes |> List.map (List.fold (*) 1)

            let pieces =
                if p.Splits then
                    Tensor.split 0 sizes flat
                else
                    let starts = sizes |> List.scan (+) 0
                    List.mapi (fun i size -> Tensor.slice 0 starts[i] size flat) sizes

            List.map2 Tensor.reshape shapes pieces |> List<Tensor>

        let environment = { Slow = cut theta p.SlowShapes; Fast = cut x p.FastShapes; Values = List() }

        for step in p.Steps do
            step.Run environment

        environment

    /// All outputs.
    member p.Run(theta: Tensor, x: Tensor) : Tensor list =
        let environment = p.Environment(theta, x)
        p.Outputs |> List.map (fun output -> output.Read environment)

    /// Whether an output depends on numbers that are rounded to Float32.
    member p.RoundsToSingle: bool =
        let live =
            Staging.stage p.X.Device [| p.Theta.Signature; p.X.Signature |] (fun inputs ->
                p.Run(inputs[0], inputs[1]) |> List.toArray)

        Seq.append
            (live.Equations |> Seq.collect _.Results |> Seq.map (fun id -> live.Variables[id].DType))
            (live.Variables |> Seq.truncate live.Inputs |> Seq.map _.DType)
        |> Seq.contains DType.Float32

    /// The program with conversions to Float64 in the place of those to Float32.
    member p.InDouble: MixedProgram =
        let inDouble (step: MixedStep) =
            match step.Primitive with
            | :? Structure.Convert -> { step with Primitive = Structure.Convert DType.Float64 }
            | _ -> step

        { p with Steps = p.Steps |> List.map inDouble }

    /// The largest number that a step computes at the i-th pair of inputs.
    member p.Size(i: int) : float =
        let theta, x = p.Point i
        let environment = p.Environment(theta, x)

        environment.Values
        |> Seq.collect _.ToArray()
        |> Seq.filter Double.IsFinite
        |> Seq.fold (fun largest value -> max largest (abs value)) 0.0

    /// All outputs in one vector.
    member p.Joined(theta: Tensor, x: Tensor) : Tensor =
        p.Run(theta, x) |> List.map (Tensor.convert p.X.DType >> Tensor.flatten) |> Tensor.concat 0

    /// A scalar in which every element of every output counts, and with it the curvature of what it depends on.
    member p.Loss (theta: Tensor) (x: Tensor) : Tensor =
        p.Run(theta, x)
        |> List.filter (fun y -> y.DType <> DType.Int32)
        |> List.mapi (fun i y ->
            let y = Tensor.convert p.X.DType y
            let weights = Generators.numbers 0.2 1.0 (p.Seed + i) y.Size |> Tensor.ofArray (List.ofArray y.Shape)
            Tensor.sum (Tensor.convert y.DType weights * (y + 0.5 * y * y)))
        |> List.fold (+) (Tensor.sum x * 0.1)

    /// The i-th pair of inputs; the first is where the program was drawn. Others lie in memory in other ways.
    member p.Point(i: int) : Tensor * Tensor =
        let moved k (t: Tensor) = if i = 0 then t else t + 0.03 * Generators.direction (p.Seed + 10 * i + k) t
        MixedProgram.Laid i (moved 0 p.Theta), MixedProgram.Laid (i + 1) (moved 1 p.X)

    /// Some vector like this one: dense, a part of a longer one, backwards in memory, or the same number everywhere.
    static member Direction (seed: int) (like: Tensor) : Tensor =
        if seed % 7 = 0 then
            like.FillLike 0.8
        else
            MixedProgram.Laid seed (Generators.direction seed like)

    static member private Laid (way: int) (t: Tensor) : Tensor =
        match way % 3 with
        | _ when t.Rank = 0 -> t
        | 1 -> Tensor.pad 0 1 0 t |> Tensor.slice 0 1 t.Shape[0]
        | 2 -> Tensor.concat 0 [ Tensor.reverse 0 t ] |> Tensor.reverse 0
        | _ -> t

    /// The first steps alone, with the results of the last of them.
    member p.Prefix(count: int) : MixedProgram =
        let steps = List.truncate count p.Steps

        { p with
            Steps = steps
            Outputs =
                [
                    {
                        Text = $"the last result of step {count}"
                        Read = fun environment -> environment.Values[environment.Values.Count - 1]
                    }
                ]
        }

    override p.ToString() =
        let sources (items: Source seq) = items |> Seq.map _.Text |> String.concat "; "

        let steps =
            p.Steps |> List.map (fun step -> $"\n  {step.Primitive} of ({sources step.Sources})") |> String.concat ""

        $"{p.Name}, seed {p.Seed}, {p.X.DType}, θ {p.Theta.Size}, x {p.X.Size}, splits {p.Splits}"
        + $"{steps}\n  outputs {sources p.Outputs}"

[<RequireQualifiedAccess>]
module internal MixedProgram =

    /// The program of a seed, with a step of this entry somewhere.
    let make (dtype: DType) (entry: Entry) (seed: int) : MixedProgram =
        let random = Random seed
        let builder = MixedBuilder(random, dtype)
        let others = Entries.all |> List.filter (fun e -> List.contains dtype e.DTypes) |> List.toArray
        let count = if random.Next 12 = 0 then 8 + random.Next 8 else 1 + random.Next 4
        let place = random.Next count
        let other () = others[random.Next others.Length]
        let steps = List.init count (fun i -> builder.Step(if i = place then entry else other ()))
        let last = builder.Environment.Values.Count - 1

        let outputs =
            [
                yield { Text = $"v{last}"; Read = fun environment -> environment.Values[last] }
                for _ in 1 .. random.Next 4 do
                    yield builder.Output()
            ]

        // Neither input is empty.
        let flat (pieces: List<Tensor>) =
            pieces.Add(Tensor.full dtype [ 2 ] 0.4)
            let shapes = pieces |> Seq.map (fun t -> List.ofArray t.Shape) |> List.ofSeq
            let values = pieces |> Seq.collect _.ToArray() |> Seq.toArray
            shapes, Tensor.ofArray [ values.Length ] values |> Tensor.convert dtype

        let slowShapes, theta = flat builder.Environment.Slow
        let fastShapes, x = flat builder.Environment.Fast

        {
            Name = entry.Name
            Seed = seed
            Theta = theta
            X = x
            SlowShapes = slowShapes
            FastShapes = fastShapes
            Splits = random.Next 2 = 0
            Steps = steps
            Outputs = outputs
        }
