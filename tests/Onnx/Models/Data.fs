namespace Curvature.Tests.Onnx

open System

/// The value of an attribute that a test writes into a model.
type NodeAttribute =
    | Int of int64
    | Float of float
    | Text of string
    | Ints of int list
    | Floats of float list
    /// A tensor of floating point in the precision of the test.
    | Reals of int list * float[]
    /// A tensor of Int64.
    | Wholes of int list * int64[]

/// An input of the operator that is tested. Floating point comes in the precision of the test.
type Data =
    /// Fed when the model runs.
    | Fed of int list * float[]
    /// A tensor of the file.
    | Weight of int list * float[]
    /// Int64 in the file.
    | Whole of int list * int64[]
    /// Int64 that is fed.
    | FedWhole of int list * int64[]
    /// Bool that is fed.
    | FedTruth of int list * bool[]
    /// Bool in the file.
    | Truth of int list * bool[]
    /// An optional input that is left out.
    | Absent

/// An operator with its inputs.
type Sample = { Attributes: (string * NodeAttribute) list; Inputs: Data list; Outputs: int }

/// Random inputs of tests. Everything follows from the seed.
[<RequireQualifiedAccess>]
module Draw =

    let size (shape: int list) = List.fold (*) 1 shape

    /// About normal, and never so close to 0 that a corner of a function is in doubt.
    let number (random: Random) : float =
        let sum = Seq.init 6 (fun _ -> random.NextDouble()) |> Seq.sum
        let x = 1.4 * (sum - 3.0)
        if abs x < 1e-3 then 0.25 else Math.Round(x, 5)

    let numbers (random: Random) (shape: int list) : float[] = Array.init (size shape) (fun _ -> number random)

    let positive (random: Random) (shape: int list) : float[] =
        Array.init (size shape) (fun _ -> 0.2 + 2.0 * random.NextDouble())

    let below (random: Random) (count: int) (shape: int list) : int64[] =
        Array.init (size shape) (fun _ -> int64 (random.Next count))

    let truths (random: Random) (shape: int list) : bool[] = Array.init (size shape) (fun _ -> random.Next 2 = 0)

    let fed (random: Random) (shape: int list) = Fed(shape, numbers random shape)
    let weight (random: Random) (shape: int list) = Weight(shape, numbers random shape)

    /// From fewest to most axes of 1 to 4 elements.
    let shape (random: Random) (fewest: int) (most: int) : int list =
        List.init (random.Next(fewest, most + 1)) (fun _ -> random.Next(1, 5))

    /// A shape that broadcasts to another: leading axes left out, others of length 1.
    let narrower (random: Random) (shape: int list) : int list =
        shape[random.Next(shape.Length + 1) ..] |> List.map (fun length -> if random.Next 3 = 0 then 1 else length)

    let pick (random: Random) (items: 'T list) : 'T = items[random.Next items.Length]

    let flag (random: Random) (name: string) : (string * NodeAttribute) list =
        match random.Next 3 with
        | 0 -> []
        | i -> [ name, Int(int64 (i - 1)) ]

    /// An axis of so many, sometimes counted from the end.
    let axis (random: Random) (rank: int) : int =
        let axis = random.Next rank
        if random.Next 2 = 0 then axis else axis - rank

    /// Some of the axes, at least one.
    let axes (random: Random) (rank: int) : int list =
        let chosen = [ 0 .. rank - 1 ] |> List.filter (fun _ -> random.Next 2 = 0)
        let chosen = if chosen.IsEmpty then [ random.Next rank ] else chosen
        chosen |> List.map (fun axis -> if random.Next 2 = 0 then axis else axis - rank)

[<AutoOpen>]
module Samples =

    let one (attributes: (string * NodeAttribute) list) (inputs: Data list) : Sample =
        { Attributes = attributes; Inputs = inputs; Outputs = 1 }

    /// A list of Int64 in the file.
    let whole (numbers: int list) : Data = Whole([ numbers.Length ], numbers |> List.map int64 |> Array.ofList)

    let maybe (random: Random) (item: 'T) : 'T list = if random.Next 2 = 0 then [ item ] else []

/// Samples of an operator, for a version of the operators.
type Case =
    {
        Op: string
        Sample: int -> Random -> Sample
        /// How many times the usual error is allowed.
        Slack: float
        /// Whether OnnxRuntime computes it in Float32 where the model is of Float64.
        IsSingle: bool
    }

[<RequireQualifiedAccess>]
module Case =

    let make (op: string) (sample: int -> Random -> Sample) : Case =
        { Op = op; Sample = sample; Slack = 1.0; IsSingle = false }

    /// A case that does not depend on the version.
    let any (op: string) (sample: Random -> Sample) : Case = make op (fun _ random -> sample random)

    let single (case: Case) : Case = { case with IsSingle = true }

    let slack (factor: float) (case: Case) : Case = { case with Slack = factor }
