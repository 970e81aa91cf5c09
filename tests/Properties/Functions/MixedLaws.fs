/// Compiled programs against interpreted ones, where every operand of every primitive is an input, a constant, a slow
/// value, an earlier result, or a view of one of these. A compiler that lets the first writer of a buffer decide
/// whether the whole buffer is computed at binding, as this one once did, fails at least 35 of the 1,020 programs of
/// one run.
module Curvature.Tests.Properties.MixedLaws

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// Runs laws over mixed programs, and says what replays a failure.
[<RequireQualifiedAccess>]
module internal MixedPrograms =

    let private number name (fallback: int) =
        match Int32.TryParse(Environment.GetEnvironmentVariable name) with
        | true, value -> value
        | _ -> fallback

    let private attempt (law: MixedProgram -> unit) (program: MixedProgram) =
        try
            law program
            None
        with e ->
            Some e

    /// Checks a law on so many programs with a step of this entry. CURVATURE_LAW_CASES multiplies their number, and
    /// CURVATURE_LAW_SEED replays the program of a seed.
    let check (count: int) (dtypes: DType list) (entry: Entry) (law: MixedProgram -> unit) : unit =
        let replayed = number "CURVATURE_LAW_SEED" -1

        let seeds =
            if replayed >= 0 then
                [ replayed ]
            else
                [ for _ in 1 .. count * number "CURVATURE_LAW_CASES" 1 -> Random.Shared.Next() ]

        for dtype in dtypes do
            if List.contains dtype entry.DTypes then
                for seed in seeds do
                    let program = MixedProgram.make dtype entry seed

                    match attempt law program with
                    | None -> ()
                    | Some error ->
                        // The fewest steps that fail with the same seed.
                        let shorter =
                            Seq.init program.Steps.Length (fun i -> program.Prefix(i + 1))
                            |> Seq.tryPick (fun p -> attempt law p |> Option.map (fun e -> p, e))

                        let smallest, smallestError = Option.defaultValue (program, error) shorter

                        failtest (
                            $"CURVATURE_LAW_SEED={seed} replays this.\n{program}\n{error}\n"
                            + $"smallest: {smallest}\n{smallestError.Message}"
                        )

let private dtypes = Generators.floating

/// One unit in the last place of Float32 at 1.
let private singleEpsilon = Math.ScaleB(1.0, -23)

/// What compiled and interpreted results may differ by, relative to these. In Float64 they differ by the order of
/// roundings alone. A number that is rounded to Float32 goes to either of two neighbours where its last bits of
/// Float64 differ. What follows carries that on: 16 units of Float32 for numbers of size 1. (The largest of 6,000
/// programs of each element type was 2.3 units.)
let private tolerance (p: MixedProgram) = if p.RoundsToSingle then 16.0 * singleEpsilon * (1.0 + p.Size 0) else 1e-10

/// A Float64 program that rounds to Float32 on its way obeys the law a second time without that rounding, to the
/// tolerance of Float64: so whatever else it is off by is the rounding.
let private check count (entry: Entry) (law: float -> MixedProgram -> unit) =
    MixedPrograms.check count dtypes entry (fun p ->
        law (tolerance p) p
        if p.X.DType = DType.Float64 && p.RoundsToSingle then law 1e-10 p.InDouble)

let private same = Expect.tensorsClose

let private sameList tolerance (expected: Tensor list) (actual: Tensor list) =
    Expect.isTrue "as many results" (expected.Length = actual.Length)
    List.iter2 (same tolerance) expected actual

/// What a map does to vectors one by one, in blocks of one and of all, against what it should.
let private checkMap tolerance (map: CompiledMap) (directions: Tensor list) (expected: Tensor list) =
    let singles = directions |> List.map map.Apply
    sameList tolerance expected singles
    Expect.sameBits (Tensor.stack 0 singles) (map.ApplyBlock(Tensor.stack 0 directions))
    Expect.sameBits (Tensor.stack 0 [ singles.Head ]) (map.ApplyBlock(Tensor.stack 0 [ directions.Head ]))

/// A family at two points in turn, with three vectors each; then the first point's map once more.
let private checkFamily tolerance (family: int -> CompiledMap) (vector: int -> Tensor) expected =
    let directions = List.init 3 vector
    let first, second = family 0, family 1
    checkMap tolerance first directions (directions |> List.map (expected 0))
    checkMap tolerance second directions (directions |> List.map (expected 1))
    same tolerance (expected 0 directions.Head) (first.Apply directions.Head)

let private direction (p: MixedProgram) i = MixedProgram.Direction (p.Seed + 500 + i) p.X

/// A family over the points x and θ of a program.
let private familyOf tolerance (p: MixedProgram) (f: Tensor -> Tensor -> Tensor list * (Tensor -> Tensor)) =
    let family = Compile.familyOf (fun points -> f points[1] points[0])

    fun i ->
        let theta, x = p.Point i
        let map = family [| x; theta |]
        sameList tolerance (fst (f theta x)) map.Values
        map

let private runsAlike tolerance (p: MixedProgram) =
    let both, _ = Compile.functionOf (fun inputs -> p.Run(inputs[0], inputs[1]) |> List.toArray)
    let frozen, _ = Compile.functionOf (fun inputs -> p.Run(p.Theta, inputs[0]) |> List.toArray)

    for i in 0..2 do
        let theta, x = p.Point i
        sameList tolerance (p.Run(theta, x)) (both [| theta; x |] |> List.ofArray)
        sameList tolerance (p.Run(p.Theta, x)) (frozen [| x |] |> List.ofArray)

let private splitsAlike tolerance (p: MixedProgram) =
    let vector i = snd (p.Point i)

    // The values are the whole program at a constant x, and the map is each output in turn, then all.
    let outputs =
        [
            yield! List.init p.Outputs.Length (fun k theta x -> p.Run(theta, x)[k])
            fun theta x -> p.Joined(theta, x)
        ]

    for output in outputs do
        let family = familyOf tolerance p (fun theta _ -> p.Run(theta, p.X), output theta)
        checkFamily tolerance family vector (fun i v -> output (fst (p.Point i)) v)

    // A function that asks for values is recorded anew at each point, where all but the vector is constant.
    let peeking =
        familyOf tolerance p (fun theta x ->
            (Tensor.sum x).ToScalar() |> ignore
            p.Run(theta, p.X), (fun v -> p.Joined(theta, v)))

    checkFamily tolerance peeking vector (fun i v -> p.Joined(fst (p.Point i), v))

let private curvesAlike tolerance (p: MixedProgram) =
    let product =
        familyOf tolerance p (fun theta x ->
            let (value, gradient), product = Linearized.gradient (p.Loss theta) x
            [ value; gradient ], product)

    let form =
        familyOf tolerance p (fun theta x ->
            let value, form = Linearized.quadraticForm (p.Loss theta) x
            [ value ], form)

    let at i = let theta, x = p.Point i in p.Loss theta, x
    checkFamily tolerance product (direction p) (fun i v -> let f, x = at i in hessianv f x v)
    checkFamily tolerance form (direction p) (fun i v -> let f, x = at i in Tensor.dot v (hessianv f x v))
    let gradient = Compile.func (grad (p.Loss p.Theta))

    for i in 0..2 do
        let x = snd (p.Point i)
        same tolerance (grad (p.Loss p.Theta) x) (gradient x)

let private differentiatesAlike tolerance (p: MixedProgram) =
    let inner (y: Tensor) = Tensor.sum (y * sin y + 0.5 * y * y)
    let model theta x = p.Joined(theta, x)

    let jacobian =
        familyOf tolerance p (fun theta x ->
            let value, program = linearize (model theta) x
            [ value ], program.Apply)

    let gaussNewton =
        familyOf tolerance p (fun theta x ->
            let outputs, program = linearize (model theta) x
            let (value, _), curve = Linearized.gradient inner outputs
            [ value ], program.Apply >> curve >> program.Transpose().Apply)

    let at i = let theta, x = p.Point i in model theta, x

    let gaussNewtonProduct i v =
        let f, x = at i
        jacobianTv f x (hessianv inner (f x) (jacobianv f x v))

    checkFamily tolerance jacobian (direction p) (fun i v -> let f, x = at i in jacobianv f x v)
    checkFamily tolerance gaussNewton (direction p) gaussNewtonProduct
    // Programs made at a point, where all but the vector is constant.
    let f, x = at 0
    let value, program = linearize f x

    checkMap
        tolerance
        (Compile.program program)
        (List.init 3 (direction p))
        (List.init 3 (direction p >> jacobianv f x))

    let cotangents = List.init 3 (fun i -> MixedProgram.Direction (p.Seed + 700 + i) value)
    checkMap tolerance (Compile.program (program.Transpose())) cotangents (cotangents |> List.map (jacobianTv f x))

let private entries = Entries.all

[<Tests>]
let tests =
    testList "Properties.MixedLaws" [
        for entry in entries do
            test $"a compiled program of constants, inputs and views computes what its primitives do ({entry})" {
                check 4 entry runsAlike
            }

        for entry in entries do
            test $"a compiled program, cut into slow and fast, computes what its primitives do ({entry})" {
                check 4 entry splitsAlike
            }

        for entry in entries do
            test $"compiled Hessian products and forms are those of the primitives ({entry})" {
                check 1 entry curvesAlike
            }

        for entry in entries do
            test $"compiled Jacobian and Gauss-Newton products are those of the primitives ({entry})" {
                check 1 entry differentiatesAlike
            }

        test "a program that converts is off by its rounding to Float32 and by nothing else" {
            // Results of such programs are off by parts of a unit of Float32, for which 1e-10 is not enough.
            let convert = Entries.all |> List.find (fun entry -> entry.Type = typeof<Structure.Convert>)
            let programs = seq { for seed in 1..1000 -> MixedProgram.make DType.Float64 convert seed }
            let p = programs |> Seq.find _.RoundsToSingle
            Expect.isTrue "without its conversions it does not" (not p.InDouble.RoundsToSingle)

            for law in [ runsAlike; splitsAlike; curvesAlike; differentiatesAlike ] do
                law (16.0 * singleEpsilon) p
                law 1e-13 p.InDouble
        }
    ]
