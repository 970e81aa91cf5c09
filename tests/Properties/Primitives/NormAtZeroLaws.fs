/// The Euclidean norm of operands that are 0, which the cases of all primitives leave out: no difference quotient knows
/// the derivative there.
module Curvature.Tests.Properties.NormAtZeroLaws

open System
open Expecto
open Expecto.Flip
open FsCheck.FSharp
open Curvature
open Curvature.FSharp
open Curvature.Tests

/// A matrix some rows of which are 0, of either sign, and which these are.
let private matrices dtype =
    gen {
        let! rows = Gen.choose (1, 5)
        let! columns = Gen.choose (1, 6)
        let! values = Generators.ordinary dtype [| rows; columns |]
        let! isZero = Gen.listOfLength rows (Gen.elements [ true; true; false ])
        let! zero = Gen.elements [ 0.0; -0.0 ]

        let x =
            values.ToArray()
            |> Array.mapi (fun i value -> if isZero[i / columns] then zero else value)
            |> Tensor.ofArray [ rows; columns ]
            |> Tensor.convert dtype

        return x, isZero
    }

/// The norm over all axes but the first `kept`.
let private norm kept (x: Tensor) = Interpreter.Bind(Norm kept, x)[0]

let private check (law: DType -> Tensor -> bool list -> unit) =
    for dtype in Generators.floating do
        Generators.check 40 (matrices dtype) (fun (x, isZero) -> law dtype x isZero)

let private tolerance dtype = if dtype = DType.Float32 then 1e-6 else 1e-14

[<Tests>]
let tests =
    testList "Properties.NormAtZeroLaws" [
        test "norms of zeros are 0 and their gradients are 0, beside rows that are not" {
            check (fun dtype x isZero ->
                let gradient = grad (norm 1 >> Tensor.sum) x
                let compiled = Compile.func (grad (norm 1 >> Tensor.sum)) x
                Expect.tensorsClose (tolerance dtype) gradient compiled
                Expect.tensorsClose (tolerance dtype) (norm 1 x) (Compile.func (norm 1) x)

                isZero
                |> List.iteri (fun i isZero ->
                    let row = Tensor.item 0 i x

                    if isZero then
                        let zeros = Array.zeroCreate row.Size
                        Expect.equal "Tensor.item 0 i (norm 1 x)" 0.0 ((Tensor.item 0 i (norm 1 x)).ToScalar())
                        Expect.equal "Tensor.item 0 i gradient" zeros ((Tensor.item 0 i gradient).ToArray())
                        Expect.equal "Tensor.item 0 i compiled" zeros ((Tensor.item 0 i compiled).ToArray())
                        Expect.equal "grad (norm 0) row" zeros ((grad (norm 0) row).ToArray())
                    else
                        let u = row / Tensor.sqrt (Tensor.dot row row)
                        Expect.tensorsClose (tolerance dtype) u (Tensor.item 0 i gradient)))
        }

        test "norms of a zero tensor over any of its last axes are 0, and so are their derivatives" {
            check (fun _ x _ ->
                let zero = Tensor.zerosLike x

                for kept in 0..2 do
                    let sum = norm kept >> Tensor.sum
                    Expect.isTrue "values" ((norm kept zero).ToArray() |> Array.forall ((=) 0.0))

                    for gradient in [ grad sum; Compile.func (grad sum) ] do
                        Expect.tensorsClose 0.0 zero (gradient zero)

                    Expect.scalar 0.0 0.0 (quadraticForm sum zero x))
        }
    ]
