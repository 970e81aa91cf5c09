/// The laws of a primitive's rules, for every primitive that there is.
module Curvature.Tests.Properties.PrimitiveLaws

open System
open FsCheck.FSharp
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests

let private entries = Entries.all

/// Random cases for each law, primitive and element type.
let private trials = 25

let private tolerance dtype = if dtype = DType.Float64 then 1e-11 else 2e-5

/// Conversions round to float32 on the way, whatever they start from.
let private precision dtype (case: Case) = if case.Primitive :? Structure.Convert then DType.Float32 else dtype

let private apply (case: Case) (operands: Tensor[]) = Interpreter.Bind(case.Primitive, operands)

/// The operands that have directions.
let private directed (case: Case) =
    [
        for i in 0 .. case.Operands.Length - 1 do
            if case.Operands[i].DType <> DType.Int32 && not (List.contains i case.Held) then
                i
    ]

/// A tangent for each operand in a set.
let private tangents (case: Case) (operands: int list) : Tensor voption[] =
    case.Operands
    |> Array.mapi (fun i operand ->
        if List.contains i operands then
            ValueSome(Generators.direction (case.Seed + i) operand)
        else
            ValueNone)

/// A cotangent for each result.
let private cotangents (case: Case) (results: Tensor[]) : Tensor voption[] =
    results
    |> Array.mapi (fun i result ->
        if result.DType = DType.Int32 then
            ValueNone
        else
            ValueSome(Generators.direction (case.Seed + 100 + i) result))

let private numbers (tensors: Tensor[]) = tensors |> Array.collect _.ToArray()

let private orZeros (like: Tensor[]) (tensors: Tensor voption[]) = Array.map2 Tangent.orZeros like tensors

let private inner (a: Tensor voption[]) (b: Tensor voption[]) =
    Array.map2
        (fun (a: Tensor voption) (b: Tensor voption) ->
            match a, b with
            | ValueSome a, ValueSome b -> Array.map2 (*) (a.ToArray()) (b.ToArray())
            | _ -> [||])
        a
        b
    |> Array.concat

let private equalInner dtype (a: float[]) (b: float[]) =
    let scale = 1.0 + Array.sumBy abs a + Array.sumBy abs b
    Expect.close (tolerance dtype) [| Array.sum a / scale |] [| Array.sum b / scale |]

let private check (dtypes: DType list) (entry: Entry) (law: DType -> Case -> unit) =
    for dtype in entry.DTypes do
        if List.contains dtype dtypes then
            Generators.check trials (entry.Cases dtype) (law dtype)

let private everyType = StructureCases.everyType
let private floating = Generators.floating

/// x + t·v for the operands that have a tangent.
let private moved (case: Case) (tangents: Tensor voption[]) (t: Tensor) =
    Array.map2
        (fun (x: Tensor) (tangent: Tensor voption) ->
            match tangent with
            | ValueSome v -> x + Tensor.convert x.DType t * v
            | ValueNone -> x)
        case.Operands
        tangents

let private at (t: float) = Tensor.scalar DType.Float64 t

/// As many operands like this one as asked for, with the same values in other places; matrices as multiples, so that
/// these stay positive definite.
let private siblings (primitive: Primitive) count (operand: Tensor) =
    let values = operand.ToArray()

    let rolled j =
        Array.init values.Length (fun i -> values[(i + j) % values.Length])
        |> Tensor.ofArray (List.ofArray operand.Shape)
        |> Tensor.convert operand.DType

    if primitive :? MatrixPrimitive then
        List.init count (fun j -> (1.0 + 0.25 * float j) * operand)
    else
        List.init count rolled

let private stacked (seed: int) (tensors: Tensor list) =
    let rank = tensors.Head.Rank

    if seed % 2 = 0 then
        Tensor.stack 0 tensors
    else
        Tensor.stack rank tensors |> Tensor.permute (rank :: [ 0 .. rank - 1 ])

[<Tests>]
let tests =
    testList "Properties.PrimitiveLaws" [
        test "every primitive has an entry, and every entry a primitive" {
            let primitives =
                typeof<Primitive>.Assembly.GetTypes()
                |> Array.filter (fun t -> t.IsSubclassOf typeof<Primitive> && not t.IsAbstract)

            let names (types: Type seq) = types |> Seq.map _.Name |> Seq.distinct |> Seq.sort |> List.ofSeq
            let covered = entries |> Seq.map _.Type

            Expect.isTrue
                $"covered {names covered}, and there are {names primitives}"
                (names covered = names primitives)
        }

        test "every elementwise function has an entry" {
            Expect.isEmpty "ElementwiseCases.missing" ElementwiseCases.missing
        }

        for entry in entries do
            test $"inferred shapes and element types are those of the results ({entry})" {
                check everyType entry (fun _ case ->
                    let results = apply case case.Operands
                    let inferred = case.Primitive.Infer(case.Operands |> Array.map _.Signature)
                    Expect.isTrue "as many results as inferred" (results.Length = inferred.Length)

                    Array.iter2
                        (fun (result: Tensor) signature ->
                            Expect.isTrue
                                $"{result.Signature} and {result.Storage.Signature} against {signature}"
                                (result.Signature = signature && result.Storage.Signature = signature)

                            Expect.isTrue
                                "as many elements as the shape says"
                                (result.ToArray().Length = Host.size signature.Shape))
                        results
                        inferred)
            }

        for entry in entries do
            test $"float32 computes what float64 does, to rounding ({entry})" {
                check [ DType.Float32 ] entry (fun _ case ->
                    let widen (t: Tensor) = if t.DType = DType.Float32 then Tensor.convert DType.Float64 t else t
                    let narrow = apply case case.Operands
                    let wide = apply case (case.Operands |> Array.map widen)
                    Expect.close 1e-5 (numbers wide) (numbers narrow))
            }

        for entry in entries do
            test $"the derivative along a direction agrees with central differences ({entry})" {
                check [ DType.Float64 ] entry (fun _ case ->
                    let results = apply case case.Operands
                    let isSingle = results |> Array.exists (fun result -> result.DType = DType.Float32)
                    let step, tolerance = if isSingle then 0.03125, 1e-4 else 1e-5, 1e-7

                    for operands in Generators.nonemptySubsets (directed case) do
                        let tangents = tangents case operands
                        let value t = numbers (apply case (moved case tangents (at t)))

                        let difference =
                            Array.map2 (fun up down -> (up - down) / (2.0 * step)) (value step) (value -step)

                        let derivative = case.Primitive.Jvp(case.Operands, results, tangents) |> orZeros results
                        Expect.close tolerance difference (numbers derivative))
            }

        for entry in entries do
            test $"the derivative along an operand that steps is nothing ({entry})" {
                check floating entry (fun _ case ->
                    let held = case.Held |> List.filter (fun i -> case.Operands[i].DType <> DType.Int32)

                    for operands in Generators.nonemptySubsets held do
                        let derivative =
                            case.Primitive.Jvp(case.Operands, apply case case.Operands, tangents case operands)

                        Expect.isTrue "no derivative" (derivative |> Array.forall _.IsNone))
            }

        for entry in entries do
            test $"forward and reverse are adjoint ({entry})" {
                check floating entry (fun dtype case ->
                    let results = apply case case.Operands
                    let cotangents = cotangents case results

                    for operands in Generators.nonemptySubsets (directed case) do
                        let tangents = tangents case operands

                        let f (xs: Tensor[]) =
                            let all = Array.copy case.Operands
                            operands |> List.iteri (fun k i -> all[i] <- xs[k])
                            apply case all

                        let points = operands |> List.map (fun i -> case.Operands[i]) |> List.toArray
                        let along = operands |> List.map (fun i -> tangents[i]) |> List.toArray
                        let _, program = Reverse.linearize f points
                        let forward = program.Interpret(along |> Array.map _.Value)
                        let pulled = Reverse.transpose program cotangents
                        let direct = case.Primitive.Jvp(case.Operands, results, tangents) |> orZeros results
                        Expect.close (tolerance dtype) (numbers direct) (numbers forward)

                        equalInner
                            (precision dtype case)
                            (inner cotangents (forward |> Array.map ValueSome))
                            (inner pulled along))
            }

        for entry in entries do
            test $"what is affine in an operand keeps affine combinations ({entry})" {
                check floating entry (fun dtype case ->
                    for i in entry.Affine do
                        if i < case.Operands.Length then
                            let x = case.Operands[i]
                            let y = Generators.direction case.Seed x

                            let f z =
                                apply case (case.Operands |> Array.updateAt i z) |> Array.map (Tensor.convert dtype)

                            let together = f (0.3 * x + 0.7 * y)
                            let apart = Array.map2 (fun (a: Tensor) (b: Tensor) -> 0.3 * a + 0.7 * b) (f x) (f y)
                            Expect.close (tolerance (precision dtype case)) (numbers apart) (numbers together))
            }

        for entry in entries do
            test $"the transpose is the adjoint of the linear part ({entry})" {
                check floating entry (fun dtype case ->
                    let results = apply case case.Operands
                    let cotangents = cotangents case results

                    for i in entry.Affine do
                        if i < case.Operands.Length then
                            let x = case.Operands[i]
                            let origin = apply case (case.Operands |> Array.updateAt i (x.FillLike 0.0))
                            let linear = Array.map2 (fun (a: Tensor) b -> ValueSome(a - b)) results origin

                            let operands =
                                case.Operands
                                |> Array.mapi (fun k t ->
                                    if k = i then LinearOperand.Unknown t.Signature else LinearOperand.Known t)

                            let pulled = case.Primitive.Transpose(cotangents, operands)

                            pulled
                            |> Array.iteri (fun k t ->
                                Expect.isTrue "coefficients receive nothing" (k = i || t.IsNone))

                            Expect.isTrue "the cotangent is like the operand" (pulled[i].Value.Signature = x.Signature)

                            equalInner
                                (precision dtype case)
                                (inner cotangents linear)
                                (inner [| pulled[i] |] [| ValueSome x |])

                            let nothing = case.Primitive.Transpose(results |> Array.map (fun _ -> ValueNone), operands)
                            Expect.isTrue "no cotangent, nothing to pull back" (nothing |> Array.forall _.IsNone))
            }

        for entry in entries do
            test $"transposing twice, and batching, keep the linear map ({entry})" {
                check floating entry (fun dtype case ->
                    let results = apply case case.Operands

                    for i in directed case do
                        for r in 0 .. results.Length - 1 do
                            if results[r].DType <> DType.Int32 then
                                let f x = (apply case (case.Operands |> Array.updateAt i x))[r]
                                let _, program = linearize f case.Operands[i]

                                let directions =
                                    List.init 3 (fun k -> Generators.direction (case.Seed + k) case.Operands[i])

                                let images = directions |> List.map program.Apply

                                Expect.tensorsClose
                                    (tolerance dtype)
                                    images.Head
                                    (program.Transpose().Transpose().Apply directions.Head)

                                Expect.tensorsClose
                                    (tolerance dtype)
                                    (Tensor.stack 0 images)
                                    (program.Batch(3).Apply(Tensor.stack 0 directions)))
            }

        for entry in entries do
            test $"a batch is a loop, whichever operands are batched ({entry})" {
                check everyType entry (fun dtype case ->
                    let size = 1 + case.Seed % 3
                    let siblings = case.Operands |> Array.map (siblings case.Primitive size)

                    for batched in Generators.nonemptySubsets [ 0 .. case.Operands.Length - 1 ] do
                        let choose (f: int -> Tensor) =
                            Array.init case.Operands.Length (fun i ->
                                if List.contains i batched then f i else case.Operands[i])

                        let loop = Array.init size (fun j -> apply case (choose (fun i -> siblings[i][j])))
                        let stacks = batched |> List.map (fun i -> stacked case.Seed siblings[i]) |> List.toArray

                        let f (xs: Tensor[]) = apply case (choose (fun i -> xs[List.findIndex ((=) i) batched]))

                        Batching.vmap f stacks
                        |> Array.iteri (fun r stack ->
                            let expected = loop |> Array.map (Array.item r) |> List.ofArray |> Tensor.stack 0
                            Expect.tensorsClose (if dtype = DType.Int32 then 0.0 else tolerance dtype) expected stack))
            }

        for entry in entries do
            test $"an empty batch has empty results of the right shape ({entry})" {
                check everyType entry (fun _ case ->
                    let results = apply case case.Operands

                    for batched in Generators.nonemptySubsets [ 0 .. case.Operands.Length - 1 ] do
                        let stack (t: Tensor) = Tensor.zeros t.DType (0 :: List.ofArray t.Shape)
                        let stacks = batched |> List.map (fun i -> stack case.Operands[i]) |> List.toArray

                        let f (xs: Tensor[]) =
                            let all = Array.copy case.Operands
                            batched |> List.iteri (fun k i -> all[i] <- xs[k])
                            apply case all

                        Batching.vmap f stacks
                        |> Array.iter2 (fun result empty -> Expect.tensorsClose 0.0 (stack result) empty) results)
            }

        for entry in entries do
            test $"the quadratic form is the second derivative along the direction ({entry})" {
                check floating entry (fun dtype case ->
                    let results = apply case case.Operands
                    let cotangents = cotangents case results

                    for operands in Generators.nonemptySubsets (directed case) do
                        let tangents = tangents case operands

                        let along (t: Tensor) : Tensor =
                            apply case (moved case tangents t)
                            |> Array.mapi (fun r result ->
                                match cotangents[r] with
                                | ValueSome cotangent ->
                                    Tensor.sum (
                                        Tensor.convert DType.Float64 cotangent * Tensor.convert DType.Float64 result
                                    )
                                | ValueNone -> at 0.0)
                            |> Array.reduce (+)

                        let form =
                            match case.Primitive.QuadraticForm(cotangents, case.Operands, results, tangents) with
                            | ValueSome form -> form
                            | ValueNone -> at 0.0

                        Expect.isTrue "a form is one number" (form.Rank = 0)
                        Expect.close (10.0 * tolerance dtype) ((diffn 2 along (at 0.0)).ToArray()) (form.ToArray())

                        if
                            dtype = DType.Float64
                            && results |> Array.forall (fun result -> result.DType = DType.Float64)
                        then
                            let step = 1e-3
                            let value t = (along (at t)).ToScalar()
                            let difference = (value step - 2.0 * value 0.0 + value -step) / (step * step)
                            Expect.close 1e-4 [| difference |] (form.ToArray()))
            }

        test "primitives are equal, with equal hashes, exactly when class and parameters are" {
            let all () = entries |> List.collect (fun entry -> entry.Variants())
            let one, two = all (), all ()

            for i, a in List.indexed one do
                for j, b in List.indexed two do
                    Expect.isTrue $"{a} and {b}" (a.Equals b = (i = j))

                    if i = j then
                        Expect.isTrue $"the hash of {a}" (a.GetHashCode() = b.GetHashCode())
        }
    ]
