/// Products of any number of tensors against loops over all labels.
module Curvature.Tests.Unit.Tensors.EinsumTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests
open Curvature.Tests.Unit.Tensors.DerivativeChecks

let private lengths = dict [ 'a', 2; 'b', 3; 'c', 4; 'd', 1; 'e', 5; 'Z', 2 ]
let private lengthOf (label: char) : int = lengths[label]

let private parts (formula: string) =
    let sides = formula.Split "->"
    List.ofArray (sides[0].Split ','), sides[1]

let private operandsOf (formula: string) =
    fst (parts formula)
    |> List.mapi (fun i labels ->
        Tensor.normal (Key.OfSeed(int64 i)) DType.Float64 [ for label in labels -> lengthOf label ])

/// Σ over the labels that the result does not have, the plainest way.
let private contract (formula: string) (operands: Tensor list) : float list =
    let names, result = parts formula
    let arrays = operands |> List.map _.ToArray()
    let position labels (at: Map<char, int>) = Seq.fold (fun n label -> n * lengthOf label + at[label]) 0 labels

    let rec over (labels: char list) (at: Map<char, int>) (f: Map<char, int> -> float list) =
        match labels with
        | [] -> f at
        | label :: rest ->
            [
                for i in 0 .. lengthOf label - 1 do
                    yield! over rest (at.Add(label, i)) f
            ]

    let inner = names |> Seq.collect id |> Seq.distinct |> Seq.filter (fun c -> not (result.Contains c)) |> List.ofSeq

    let term at =
        List.fold2 (fun product labels array -> product * Array.get array (position labels at)) 1.0 names arrays

    over (List.ofSeq result) Map.empty (fun at -> [ List.sum (over inner at (fun at -> [ term at ])) ])

let private formulas =
    [
        "ab,bc,ce->ae"
        "ab,bc,ce,ea->"
        "a,b,ab->"
        "abc,b,c->a"
        "ab,ab,ab->ba"
        "ab->ba"
        "abc->b"
        "ab->"
        "abc,ce->a"
        "ab,cd->"
        "Za,ab,Zb->Z"
        "a,b,c,d,e->edcba"
        "ab,bc,d->ac"
    ]

[<Tests>]
let tests =
    testList "Unit.Tensors.EinsumTests" [
        test "any number of operands is multiplied as by loops" {
            for formula in formulas do
                let operands = operandsOf formula
                let shape = [ for label in snd (parts formula) -> lengthOf label ]
                Expect.tensor 1e-13 shape (contract formula operands) (Tensor.einsumOf formula operands)

                let single = operands |> List.map (Tensor.convert DType.Float32)
                let result = Tensor.einsumOf formula single
                Expect.equal "result.DType" DType.Float32 result.DType
                Expect.close 1e-5 (Array.ofList (contract formula operands)) (result.ToArray())
        }

        test "products of many have all derivatives" {
            for formula in [ "ab,bc,ce->ae"; "a,b,ab->"; "ab->b" ] do
                let operands = operandsOf formula

                for i in 0 .. operands.Length - 1 do
                    let f x = Tensor.einsumOf formula (List.updateAt i (Tensor.sin x) operands)
                    differentiates $"{formula} in operand {i}" f operands[i]

            let square = Tensor.normal (Key.OfSeed 9L) DType.Float64 [ 3; 3 ]
            differentiates "the cube of a matrix" (fun x -> Tensor.einsumOf "ij,jk,kl->il" [ x; x; x ]) square
        }

        test "the pair that takes the fewest multiplications comes first" {
            // Only the products with a vector, from the right, depend on it: were two matrices multiplied first, there
            // would be fewer products in the program.
            let matrix = Tensor.normal (Key.OfSeed 4L) DType.Float64 [ 6; 6 ]

            let products formula operands (x: Tensor) =
                let _, program = linearize (fun x -> Tensor.einsumOf formula (operands x)) x
                program.ToString().Split("Einsum").Length - 1

            let vector = Tensor.ones DType.Float64 [ 6 ]

            Expect.equal
                "products \"ij,jk,kl,l->i\" (fun x…"
                3
                (products "ij,jk,kl,l->i" (fun x -> [ matrix; matrix; matrix; x ]) vector)

            Expect.equal
                "products \"i,ij,jk,kl->l\" (fun x…"
                3
                (products "i,ij,jk,kl->l" (fun x -> [ x; matrix; matrix; matrix ]) vector)
            // Of products that cost the same, the one with the smaller result: not i,j->ij.
            Expect.equal
                "products \"i,j,ij->\" (fun x -> […"
                1
                (products "i,j,ij->" (fun x -> [ vector; x; matrix ]) vector)
        }

        test "formulas that do not fit are named" {
            let matrix = Tensor.ones DType.Float64 [ 2; 3 ]

            let refuses fragments formula operands =
                Expect.raises<ShapeException> ("einsum" :: fragments) (fun () -> Tensor.einsumOf formula operands)

            refuses [ "3 operands"; "2 were given" ] "ij,jk,kl->il" [ matrix; matrix ]
            refuses [ "\"\"" ] "" []
            refuses [ "axis j"; "3"; "2" ] "ij,jk,ki->" [ matrix; matrix; matrix ]
            refuses [ "3 labels"; "2 axes"; "[2; 3]" ] "ijk->k" [ matrix ]
            refuses [ "twice" ] "ii->i" [ matrix ]
            refuses [ "no operand" ] "ij->k" [ matrix ]

            Expect.raises<DTypeException> [ "Int32" ] (fun () ->
                Tensor.einsumOf "i,i,i->" [ for _ in 1..3 -> tensor [ 1; 2 ] ])

            Expect.raises<DTypeException> [ "Float32"; "Float64" ] (fun () ->
                Tensor.einsumOf "i,i,i->" [ tensor [ 1.0 ]; tensor [ 1.0f ]; tensor [ 1.0 ] ])
        }

        test "stacks of matrices are multiplied by vectors on either side" {
            let stack = Tensor.normal (Key.OfSeed 1L) DType.Float64 [ 2; 5; 3; 4 ]
            let right = Tensor.normal (Key.OfSeed 2L) DType.Float64 [ 4 ]
            let left = Tensor.normal (Key.OfSeed 3L) DType.Float64 [ 3 ]
            Expect.tensorsClose 1e-14 (Tensor.sumAxes [ -1 ] (stack * right)) (Tensor.matmul stack right)
            let column = Tensor.unsqueeze 1 left
            Expect.tensorsClose 1e-14 (Tensor.sumAxes [ -2 ] (stack * column)) (Tensor.matmul left stack)
            differentiates "a stack times x" (fun x -> Tensor.matmul stack (Tensor.sin x)) right
            differentiates "x times a stack" (fun x -> Tensor.matmul (Tensor.sin x) stack) left
            Expect.raises<ShapeException> [ "4"; "3" ] (fun () -> Tensor.matmul stack left)
        }
    ]
