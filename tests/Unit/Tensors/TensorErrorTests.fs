/// Wrong arguments of tensor functions raise errors that name them, and never read beyond an array.
module Curvature.Tests.Unit.TensorErrorTests

open System
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Kernels
open Curvature.Tests

let private vector = tensor [ 1.0; 2.0; 3.0 ]
let private matrix = tensor [ [ 1.0; 2.0; 3.0 ]; [ 4.0; 5.0; 6.0 ] ]
let private largest = Int32.MaxValue
let private position i = Tensor.ofIndices [ 1 ] [| i |]

[<Tests>]
let tests =
    testList "Unit.TensorErrorTests" [
        test "shapes that values do not fill" {
            Expect.raises<ShapeException> [ "ofArray"; "3 values"; "[2; 2]"; "4" ] (fun () ->
                Tensor.ofArray [ 2; 2 ] [| 1.0; 2.0; 3.0 |])

            Expect.raises<ShapeException> [ "ofSingleArray"; "[2]" ] (fun () -> Tensor.ofSingleArray [ 2 ] [||])
            Expect.raises<ShapeException> [ "ofIndices"; "[]"; "1" ] (fun () -> Tensor.ofIndices [] [| 1; 2 |])
        }

        test "negative lengths and counts" {
            Expect.raises<ShapeException> [ "ofArray"; "negative"; "[-1; -3]" ] (fun () ->
                Tensor.ofArray [ -1; -3 ] [| 1.0; 2.0; 3.0 |])

            Expect.raises<ShapeException> [ "full"; "[-1]" ] (fun () -> Tensor.zeros DType.Float64 [ -1 ])
            Expect.raises<ShapeException> [ "reshape"; "[-3; -2]" ] (fun () -> Tensor.reshape [ -3; -2 ] matrix)
            Expect.raises<ShapeException> [ "reshape"; "[-2; -3]" ] (fun () -> Tensor.reshape [ -1; -2; -3 ] matrix)
            Expect.raises<ShapeException> [ "broadcastTo"; "[-1; 3]" ] (fun () -> Tensor.broadcastTo [ -1; 3 ] vector)
            Expect.raises<ArgumentRangeException> [ "arange"; "-2" ] (fun () -> Tensor.arange DType.Float64 -2)

            Expect.raises<ArgumentRangeException> [ "linspace"; "1" ] (fun () ->
                Tensor.linspace DType.Float64 0.0 1.0 1)

            Expect.raises<ArgumentRangeException> [ "pad"; "-1" ] (fun () -> Tensor.pad 0 -1 0 vector)

            Expect.raises<ShapeException> [ "scatterAdd"; "-4" ] (fun () ->
                Tensor.scatterAdd 0 -4 (position 0) (tensor [ 1.0 ]))

            Expect.error<ShapeException> [ "split"; "[-1; 4]" ] (fun () -> Tensor.split 0 [ -1; 4 ] vector |> ignore)
        }

        test "arrays with more elements than fit" {
            Expect.raises<ShapeException> [ "[100000; 100000]"; "2147483647" ] (fun () ->
                Tensor.zeros DType.Float64 [ 100_000; 100_000 ])
            // Whose 64-bit product wraps around to 0.
            let wrapping = List.replicate 4 65536

            Expect.raises<ShapeException> [ "[65536; 65536; 65536; 65536]" ] (fun () ->
                Tensor.ones DType.Float32 wrapping)

            Expect.raises<ShapeException> [ "[65536; 65536; 65536; 65536]" ] (fun () ->
                Tensor.broadcastTo wrapping (tensor 1.0))

            Expect.raises<ShapeException> [ "pad"; "2147483650" ] (fun () -> Tensor.pad 0 largest 0 vector)
            // A shape without elements may be as long as it likes.
            Expect.equal
                "(Tensor.zeros DType.Float64 [ l…"
                [| largest; 0; largest |]
                (Tensor.zeros DType.Float64 [ largest; 0; largest ]).Shape
        }

        test "nested sequences that are no array" {
            Expect.raises<ShapeException> [ "ragged"; "[2]"; "[1]" ] (fun () -> tensor [ [ 1.0; 2.0 ]; [ 3.0 ] ])
            Expect.raises<DTypeException> [ "text" ] (fun () -> tensor "12")
            Expect.raises<DTypeException> [ "text" ] (fun () -> tensor [ "1"; "2" ])
        }

        test "elements that are no numbers, or of two types" {
            Expect.raises<DTypeException> [ "Decimal" ] (fun () -> tensor [ 1m ])
            Expect.raises<DTypeException> [ "Double"; "Int32" ] (fun () -> tensor [ box 1.0; box 2 ])
            Expect.raises<DTypeException> [ "null" ] (fun () -> tensor null)
            Expect.raises<DTypeException> [ "Single"; "null" ] (fun () -> tensor [ box 1.0f; null ])
        }

        test "axes that are not there" {
            for axis in [ 2; -3; largest; Int32.MinValue ] do
                let missing name f = Expect.raises<ShapeException> [ name; string axis; "2 axes" ] (fun () -> f matrix)
                missing "sum" (Tensor.sumAxes [ axis ])
                missing "slice" (Tensor.slice axis 0 1)
                missing "item" (Tensor.item axis 0)
                missing "squeeze" (Tensor.squeeze axis)
                missing "reverse" (Tensor.reverse axis)
                missing "pad" (Tensor.pad axis 1 1)
                missing "concat" (fun t -> Tensor.concat axis [ t; t ])
                missing "concat" (fun t -> Tensor.concat axis [ t ])
                missing "take" (Tensor.take axis (position 0))
                missing "cumulativeSum" (Tensor.cumulativeSum axis)
                missing "permute" (Tensor.permute [ axis; 0 ])
                missing "split" (Tensor.split axis [ 1 ] >> List.head)
                missing "mean" (Tensor.meanAxes [ axis ])

            Expect.raises<ShapeException> [ "unsqueeze"; "3 axes" ] (fun () -> Tensor.unsqueeze 3 matrix)
            Expect.raises<ShapeException> [ "transpose"; "[3]" ] (fun () -> Tensor.transpose vector)
        }

        test "slices beyond their axis" {
            let outside start count step =
                Expect.raises<ShapeException> [ "slice"; "[2; 3]" ] (fun () ->
                    Tensor.sliceStep 1 start count step matrix)

            outside 1 3 1
            outside -1 1 1
            outside 3 1 1
            outside 4 0 1
            outside 0 2 3
            // Whose last place does not fit 32 bits.
            outside 1 2 largest
            outside 0 largest largest
            outside 2 3 (largest / 2 + 1)
            Expect.raises<ShapeException> [ "slice" ] (fun () -> Tensor.item 0 -1 matrix)
            Expect.raises<ArgumentRangeException> [ "slice"; "-1" ] (fun () -> Tensor.slice 0 0 -1 matrix)
            Expect.raises<ArgumentRangeException> [ "slice"; "0" ] (fun () -> Tensor.sliceStep 0 0 1 0 matrix)
            // The end itself is a place where nothing begins.
            Expect.equal "(Tensor.slice 1 3 0 matrix).Sha…" [| 2; 0 |] (Tensor.slice 1 3 0 matrix).Shape
        }

        test "shapes that do not go together" {
            Expect.raises<ShapeException> [ "reshape"; "6 elements"; "[4]" ] (fun () -> Tensor.reshape [ 4 ] matrix)

            Expect.raises<ShapeException> [ "reshape"; "6 elements"; "[4; -1]" ] (fun () ->
                Tensor.reshape [ 4; -1 ] matrix)

            Expect.raises<ShapeException> [ "reshape"; "one length" ] (fun () -> Tensor.reshape [ -1; -1 ] matrix)
            Expect.raises<ShapeException> [ "reshape"; "[0; -1]" ] (fun () -> Tensor.reshape [ 0; -1 ] matrix)
            Expect.raises<ShapeException> [ "permute"; "[0; 0]" ] (fun () -> Tensor.permute [ 0; 0 ] matrix)
            Expect.raises<ShapeException> [ "permute"; "[2; 3]" ] (fun () -> Tensor.permute [ 0 ] matrix)
            Expect.raises<ShapeException> [ "squeeze"; "[2; 3]" ] (fun () -> Tensor.squeeze 0 matrix)
            Expect.raises<ShapeException> [ "broadcastTo"; "[2; 3]"; "[3]" ] (fun () -> Tensor.broadcastTo [ 3 ] matrix)
            Expect.raises<ShapeException> [ "broadcastTo"; "[3]"; "[1]" ] (fun () -> Tensor.broadcastTo [ 1 ] vector)
            Expect.raises<ShapeException> [ "concat"; "[2; 3]"; "[3]" ] (fun () -> Tensor.concat 0 [ matrix; vector ])

            Expect.raises<ShapeException> [ "concat"; "axis 1" ] (fun () ->
                Tensor.concat 1 [ matrix; Tensor.transpose matrix ])

            Expect.raises<ShapeException> [ "stack"; "[2; 3]"; "[3]" ] (fun () -> Tensor.stack 0 [ matrix; vector ])
            Expect.raises<ArgumentRangeException> [ "concat" ] (fun () -> Tensor.concat 0 [])
            Expect.raises<ArgumentRangeException> [ "concat" ] (fun () -> Tensor.stack 0 [])

            Expect.error<ShapeException> [ "split"; "[1; 1]"; "2"; "3" ] (fun () ->
                Tensor.split 1 [ 1; 1 ] matrix |> ignore)

            Expect.raises<ShapeException> [ "matmul"; "[]"; "[3]" ] (fun () -> Tensor.matmul (tensor 1.0) vector)

            Expect.raises<ShapeException> [ "[2; 3]"; "3 in one and 2 in the other" ] (fun () ->
                Tensor.matmul matrix matrix)

            let deep = Tensor.zeros DType.Float64 [ 2; 1; 2; 2 ]

            Expect.raises<ShapeException> [ "matmul"; "[2; 1]"; "[3; 3]" ] (fun () ->
                Tensor.matmul deep (Tensor.zeros DType.Float64 [ 3; 3; 2; 2 ]))

            Expect.raises<ShapeException> [ "[2; 3]" ] (fun () -> Tensor.outer matrix vector)
        }

        test "formulas that are none" {
            let broken formula =
                Expect.raises<ShapeException> [ "einsum"; formula ] (fun () -> Tensor.einsum formula matrix matrix)

            for formula in
                [
                    ""
                    "->"
                    "ij"
                    "ij,jk"
                    "ij->ij"
                    "ij,jk,kl->il"
                    "ij,jk->ik->ik"
                    "i1,1j->ij"
                    "i.,.j->ij"
                    "ij,jk->i,k"
                    "éj,jk->ék"
                ] do
                broken formula

            // A label twice in an operand or the result or from nowhere.
            for formula in [ "ii,ij->j"; "ij,jk->ikk"; "ij,jk->il" ] do
                broken formula

            Expect.raises<ShapeException> [ "2 axes"; "ijk" ] (fun () -> Tensor.einsum "ijk,kl->ijl" matrix matrix)
        }

        test "positions outside their axis" {
            for i in [ -1; 3; largest; Int32.MinValue ] do
                Expect.raises<ArgumentRangeException> [ string i ] (fun () -> Tensor.take 0 (position i) vector)

                Expect.raises<ArgumentRangeException> [ string i ] (fun () ->
                    Tensor.pick (Tensor.ofIndices [ 2 ] [| 0; i |]) matrix)

                Expect.raises<ArgumentRangeException> [ string i ] (fun () ->
                    Tensor.scatterAdd 0 3 (position i) (tensor [ 1.0 ]))

                Expect.raises<DataException> [ string i; "row 1"; "0 … 2" ] (fun () ->
                    Tensor.oneHot DType.Float64 3 (Tensor.ofIndices [ 2 ] [| 0; i |]))

            Expect.raises<ArgumentRangeException> [ "0" ] (fun () ->
                Tensor.take 0 (position 0) (Tensor.zeros DType.Float64 [ 0 ]))
        }

        test "indices that are no indices" {
            Expect.raises<DTypeException> [ "gather"; "Float64" ] (fun () -> Tensor.take 0 vector vector)
            Expect.raises<DTypeException> [ "gather"; "Float64" ] (fun () -> Tensor.pick (tensor [ 0.0; 1.0 ]) matrix)
            Expect.raises<DTypeException> [ "scatterAdd"; "Float64" ] (fun () -> Tensor.scatterAdd 0 3 vector vector)

            Expect.raises<DTypeException> [ "scatterAdd"; "Int32" ] (fun () ->
                Tensor.scatterAdd 0 3 (position 0) (position 0))

            Expect.raises<DTypeException> [ "oneHot"; "Float64" ] (fun () -> Tensor.oneHot DType.Float64 3 vector)
        }

        test "indices of another shape" {
            Expect.raises<ShapeException> [ "pick"; "[1]"; "[2; 3]" ] (fun () -> Tensor.pick (position 0) matrix)
            Expect.raises<ShapeException> [ "pick"; "[1]"; "[]" ] (fun () -> Tensor.pick (position 0) (tensor 1.0))

            Expect.raises<ShapeException> [ "scatterAdd"; "[3]"; "[1]" ] (fun () ->
                Tensor.scatterAdd 0 5 (position 0) vector)

            Expect.raises<ShapeException> [ "scatterAdd" ] (fun () ->
                Tensor.scatterAdd 0 5 (Tensor.ofIndices [ 1; 1 ] [| 0 |]) vector)
        }

        test "nothing to choose from, or to take the mean of" {
            let empty = Tensor.zeros DType.Float64 [ 2; 0 ]
            Expect.raises<ShapeException> [ "mean"; "[2; 0]" ] (fun () -> Tensor.mean empty)
            Expect.raises<ShapeException> [ "mean"; "[2; 0]" ] (fun () -> Tensor.meanAxes [ -1 ] empty)
            Expect.tensor 0.0 [ 0 ] [] (Tensor.meanAxes [ 0 ] empty)
            Expect.raises<ShapeException> [ "argMax"; "[2; 0]" ] (fun () -> Tensor.argMax empty)
            Expect.raises<ShapeException> [ "argMax"; "[]" ] (fun () -> Tensor.max (tensor 1.0))
            Expect.raises<ShapeException> [ "logsumexp"; "[2; 0]" ] (fun () -> Tensor.logSumExp empty)
            Expect.raises<ShapeException> [ "softmax"; "[]" ] (fun () -> Tensor.softmax (tensor 1.0))

            Expect.raises<ShapeException> [ "softmaxCrossEntropy"; "[2; 0]" ] (fun () ->
                Tensor.softmaxCrossEntropy empty empty)
        }

        test "moving to the device where it is changes nothing, and derivatives flow" {
            Expect.isTrue
                "obj.ReferenceEquals(Tensor.toDe…"
                (obj.ReferenceEquals(Tensor.toDevice CpuDevice.Shared vector, vector))

            let f x = Tensor.sum (Tensor.square (Tensor.toDevice CpuDevice.Shared x))
            Expect.tensor 0.0 [ 3 ] [ 2.0; 4.0; 6.0 ] (grad f vector)
            Expect.tensor 0.0 [ 3 ] [ 1.0; 4.0; 9.0 ] (vmap f vector)
        }

        test "shapes handed out are copies" {
            let t = Tensor.zeros DType.Float64 [ 2; 3 ]
            t.Shape[0] <- 100
            Expect.equal "t.Shape" [| 2; 3 |] t.Shape
        }

        test "values handed in and out are copies" {
            let values = [| 1.0; 2.0 |]
            let t = Tensor.ofArray [ 2 ] values
            values[0] <- 100.0
            t.ToArray()[1] <- 200.0
            Expect.tensor 0.0 [ 2 ] [ 1.0; 2.0 ] t
        }
    ]
