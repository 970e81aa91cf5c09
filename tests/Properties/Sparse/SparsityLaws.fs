/// Patterns and sparse derivatives beside dense ones, for every primitive and for random programs of them.
module Curvature.Tests.Properties.SparsityLaws

open System
open Expecto
open Expecto.Flip
open FsCheck.FSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private floating = Generators.floating

/// The operands that have directions.
let private directed (case: Case) =
    [
        for i in 0 .. case.Operands.Length - 1 do
            if case.Operands[i].DType <> DType.Int32 && not (List.contains i case.Held) then
                i
    ]

/// The entries of a matrix [rows; columns] that are not 0.
let private nonzeros (matrix: Tensor) =
    let columns = matrix.Shape[1]

    [
        for i, value in Seq.indexed (matrix.ToArray()) do
            if value <> 0.0 then struct (i / columns, i % columns)
    ]

let private dense (f: Tensor -> Tensor) (x: Tensor) : Tensor =
    let values = (f x).Size
    jacobian f x |> Tensor.reshape [ values; x.Size ]

/// Functions of one operand, one for each result with a derivative.
let private functions (case: Case) (operand: int) =
    let apply x = Interpreter.Bind(case.Primitive, case.Operands |> Array.updateAt operand x)
    let results = apply case.Operands[operand]

    [
        for r in 0 .. results.Length - 1 do
            if results[r].DType <> DType.Int32 then fun x -> (apply x)[r]
    ]

/// Primitives whose derivatives have an entry wherever a result depends on an element: all that are linear in an
/// operand with the values of the others at random. Entry by entry products of them with numbers that may be 0 are not.
let private isExact (entry: Entry) =
    List.contains entry.Type [
        typeof<Broadcast>
        typeof<Sum>
        typeof<Structure.Reshape>
        typeof<Structure.Permute>
        typeof<Structure.ReverseAxes>
        typeof<Structure.Slice>
        typeof<Structure.Pad>
        typeof<Structure.Split>
        typeof<Structure.Concat>
        typeof<Structure.StopGradient>
        typeof<Indexing.Gather>
        typeof<Indexing.ScatterAdd>
        typeof<Indexing.CumulativeSum>
        typeof<Einsum>
        typeof<Convolve>
        typeof<WindowSums>
    ]

/// A sum of functions of a few elements each, at random places, and the pairs of elements that meet in one.
let private sparseSum (seed: int) (dtype: DType) =
    let random = Random seed
    let n = 1 + random.Next 40
    let terms = random.Next 30
    let index = Array.init terms (fun _ -> Array.init 3 (fun _ -> random.Next n))
    let picked = index |> Array.concat |> Tensor.ofIndices [ terms; 3 ]

    let f (x: Tensor) =
        let y = Tensor.take 0 picked x
        let a, b, c = Tensor.item 1 0 y, Tensor.item 1 1 y, Tensor.item 1 2 y
        Tensor.sum (sin (a * b) + exp (0.3 * c * a) + b * b * c) + 0.5 * Tensor.sum x

    Tensor.normal (Key.OfSeed(int64 seed)) dtype [ n ], f

let private recoveries = [ RecoveryMethod.Direct; RecoveryMethod.Substitution ]

/// Both recoveries of a Hessian, whatever it costs, are the dense one.
let private checkHessian (tolerance: float) (f: Tensor -> Tensor) (x: Tensor) =
    let expected = hessian f x |> Tensor.reshape [ x.Size; x.Size ]
    let pattern = Sparsity.hessian f x

    for struct (i, j) in nonzeros expected do
        Expect.isTrue $"({i}, {j}) is in the pattern" (pattern.Contains(i, j))

    for recovery in recoveries do
        let options = SparseOptions.Default.WithRecovery(recovery).WithMostColours(max 1 x.Size)
        let found = SparseHessian.atWith options f x
        Expect.tensorsClose tolerance expected (found.ToDense())

let private singleEpsilon = Math.ScaleB(1.0, -23)

let private tolerance (p: MixedProgram) = if p.RoundsToSingle then 64.0 * singleEpsilon * (1.0 + p.Size 0) else 1e-9

[<Tests>]
let tests =
    testList "Properties.SparsityLaws" [
        for entry in Entries.all do
            test $"the pattern of a derivative has all entries that are not 0 ({entry})" {
                for dtype in entry.DTypes do
                    if List.contains dtype floating then
                        Generators.check 15 (entry.Cases dtype) (fun case ->
                            for operand in directed case do
                                for f in functions case operand do
                                    let x = case.Operands[operand]
                                    let pattern = Sparsity.jacobian f x

                                    let points =
                                        [
                                            for k in 0..2 ->
                                                x + 0.01 * float k * Generators.direction (case.Seed + k) x
                                        ]

                                    let found = points |> List.collect (dense f >> nonzeros) |> List.distinct
                                    Expect.equal "rows" (f x).Size pattern.Rows

                                    for struct (i, j) in found do
                                        Expect.isTrue $"({i}, {j}) is in the pattern" (pattern.Contains(i, j))

                                    if isExact entry && x.Size > 0 then
                                        Expect.equal "no other entry" found.Length pattern.Count)
            }

        for entry in Entries.all do
            test $"the sparse Jacobian of a program is the dense one ({entry})" {
                MixedLaws.MixedPrograms.check 1 floating entry (fun p ->
                    let f x = p.Joined(p.Theta, x)
                    let expected = dense f p.X
                    let options = SparseOptions.Default.WithMostColours Int32.MaxValue
                    Expect.tensorsClose (tolerance p) expected ((SparseJacobian.atWith options f p.X).ToDense()))
            }

        for entry in Entries.all do
            test $"the sparse Hessian of a program is the dense one ({entry})" {
                MixedLaws.MixedPrograms.check 1 floating entry (fun p ->
                    checkHessian (tolerance p) (p.Loss p.Theta) p.X)
            }

        lawOver [] 200 "the sparse Hessian of a sum of small terms is the dense one" (fun (seed: int) ->
            let x, f = sparseSum (abs (seed % 100_000)) DType.Float64
            checkHessian 1e-12 f x
            let single, f = sparseSum (abs (seed % 100_000)) DType.Float32
            checkHessian 1e-4 f single)

        lawOver [] 100 "a function that asks for values has the sparse Hessian of its branch" (fun (seed: int) ->
            let x, f = sparseSum (abs (seed % 100_000)) DType.Float64

            let peeking (x: Tensor) =
                Tensor.sum(x).ToScalar() |> ignore
                f x

            checkHessian 1e-12 peeking x)
    ]
