namespace Curvature.Tests.Properties

open System
open NUnit.Framework
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

                        raise (
                            AssertionException(
                                $"CURVATURE_LAW_SEED={seed} replays this.\n{program}\n{error}\nsmallest: {smallest}\n{smallestError.Message}",
                                error
                            )
                        )

/// Compiled programs against interpreted ones, where every operand of every primitive is an input, a constant, a slow
/// value, an earlier result, or a view of one of these. A compiler that lets the first writer of a buffer decide
/// whether the whole buffer is computed at binding, as this one once did, fails at least 35 of the 1,020 programs of
/// one run.
[<TestFixture>]
type MixedLaws() =

    static let dtypes = Generators.floating

    /// Programs that convert to Float32 on their way are rounded as Float32 is, whatever the type of their results.
    static let mutable convertsOnTheWay = false

    static let same (expected: Tensor) (actual: Tensor) =
        Expect.tensorsClose (if convertsOnTheWay || expected.DType = DType.Float32 then 2e-4 else 1e-10) expected actual

    static let check count (entry: Entry) law =
        convertsOnTheWay <- (string entry = "Convert")
        MixedPrograms.check count dtypes entry law

    static let sameList (expected: Tensor list) (actual: Tensor list) =
        Expect.isTrue "as many results" (expected.Length = actual.Length)
        List.iter2 same expected actual

    /// What a map does to vectors one by one, in blocks of one and of all, against what it should.
    static let checkMap (map: CompiledMap) (directions: Tensor list) (expected: Tensor list) =
        let singles = directions |> List.map map.Apply
        sameList expected singles
        Expect.sameBits (Tensor.stack 0 singles) (map.ApplyBlock(Tensor.stack 0 directions))
        Expect.sameBits (Tensor.stack 0 [ singles.Head ]) (map.ApplyBlock(Tensor.stack 0 [ directions.Head ]))

    /// A family at two points in turn, with three vectors each; then the first point's map once more.
    static let checkFamily (family: int -> CompiledMap) (vector: int -> Tensor) (expected: int -> Tensor -> Tensor) =
        let directions = List.init 3 vector
        let first, second = family 0, family 1
        checkMap first directions (directions |> List.map (expected 0))
        checkMap second directions (directions |> List.map (expected 1))
        same (expected 0 directions.Head) (first.Apply directions.Head)

    static let direction (p: MixedProgram) i = MixedProgram.Direction (p.Seed + 500 + i) p.X

    /// A family over the points x and θ of a program.
    static let familyOf (p: MixedProgram) (f: Tensor -> Tensor -> Tensor list * (Tensor -> Tensor)) =
        let family = Compile.familyOf (fun points -> f points[1] points[0])

        fun i ->
            let theta, x = p.Point i
            let map = family [| x; theta |]
            sameList (fst (f theta x)) map.Values
            map

    static member Entries: obj seq = Entries.all |> Seq.map box

    [<TestCaseSource("Entries")>]
    member _.``a compiled program of constants, inputs and views computes what its primitives do``(entry: obj) =
        check 4 (entry :?> Entry) (fun p ->
            let both, _ = Compile.functionOf (fun inputs -> p.Run(inputs[0], inputs[1]) |> List.toArray)
            let frozen, _ = Compile.functionOf (fun inputs -> p.Run(p.Theta, inputs[0]) |> List.toArray)

            for i in 0..2 do
                let theta, x = p.Point i
                sameList (p.Run(theta, x)) (both [| theta; x |] |> List.ofArray)
                sameList (p.Run(p.Theta, x)) (frozen [| x |] |> List.ofArray))

    [<TestCaseSource("Entries")>]
    member _.``a compiled program, cut into slow and fast, computes what its primitives do``(entry: obj) =
        check 4 (entry :?> Entry) (fun p ->
            let vector i = snd (p.Point i)

            // The values are the whole program at a constant x, and the map is each output in turn, then all.
            let outputs =
                [
                    yield! List.init p.Outputs.Length (fun k theta x -> p.Run(theta, x)[k])
                    fun theta x -> p.Joined(theta, x)
                ]

            for output in outputs do
                let family = familyOf p (fun theta _ -> p.Run(theta, p.X), output theta)
                checkFamily family vector (fun i v -> output (fst (p.Point i)) v)

            // A function that asks for values is recorded anew at each point, where all but the vector is constant.
            let peeking =
                familyOf p (fun theta x ->
                    (Tensor.sum x).ToScalar() |> ignore
                    p.Run(theta, p.X), (fun v -> p.Joined(theta, v)))

            checkFamily peeking vector (fun i v -> p.Joined(fst (p.Point i), v)))

    [<TestCaseSource("Entries")>]
    member _.``compiled Hessian products and forms are those of the primitives``(entry: obj) =
        check 1 (entry :?> Entry) (fun p ->
            let product =
                familyOf p (fun theta x ->
                    let (value, gradient), product = Linearized.gradient (p.Loss theta) x
                    [ value; gradient ], product)

            let form =
                familyOf p (fun theta x ->
                    let value, form = Linearized.quadraticForm (p.Loss theta) x
                    [ value ], form)

            let at i = let theta, x = p.Point i in p.Loss theta, x
            checkFamily product (direction p) (fun i v -> let f, x = at i in hessianv f x v)
            checkFamily form (direction p) (fun i v -> let f, x = at i in Tensor.dot v (hessianv f x v))
            let gradient = Compile.func (grad (p.Loss p.Theta))

            for i in 0..2 do
                let x = snd (p.Point i)
                same (grad (p.Loss p.Theta) x) (gradient x))

    [<TestCaseSource("Entries")>]
    member _.``compiled Jacobian and Gauss-Newton products are those of the primitives``(entry: obj) =
        check 1 (entry :?> Entry) (fun p ->
            let inner (y: Tensor) = Tensor.sum (y * sin y + 0.5 * y * y)
            let model theta x = p.Joined(theta, x)

            let jacobian =
                familyOf p (fun theta x ->
                    let value, program = linearize (model theta) x
                    [ value ], program.Apply)

            let gaussNewton =
                familyOf p (fun theta x ->
                    let outputs, program = linearize (model theta) x
                    let (value, _), curve = Linearized.gradient inner outputs
                    [ value ], program.Apply >> curve >> program.Transpose().Apply)

            let at i = let theta, x = p.Point i in model theta, x

            let gaussNewtonProduct i v =
                let f, x = at i
                jacobianTv f x (hessianv inner (f x) (jacobianv f x v))

            checkFamily jacobian (direction p) (fun i v -> let f, x = at i in jacobianv f x v)
            checkFamily gaussNewton (direction p) gaussNewtonProduct
            // Programs made at a point, where all but the vector is constant.
            let f, x = at 0
            let value, program = linearize f x
            checkMap (Compile.program program) (List.init 3 (direction p)) (List.init 3 (direction p >> jacobianv f x))
            let cotangents = List.init 3 (fun i -> MixedProgram.Direction (p.Seed + 700 + i) value)
            checkMap (Compile.program (program.Transpose())) cotangents (cotangents |> List.map (jacobianTv f x)))
