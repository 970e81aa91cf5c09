/// Kernels that sort against .NET's own stable order.
module Curvature.Tests.Unit.Kernels.ArgSortTests

open System
open Expecto
open Curvature
open Curvature.Kernels
open Curvature.Tests.Unit.Kernels.Support

/// Ascending or descending, with equal elements in their order, and NaN last.
let private reference (descending: bool) (row: float[]) =
    let numbers, missing = Array.indexed row |> Array.partition (snd >> Double.IsNaN >> not)
    let key (_, x: float) = if descending then -x else x
    Array.append (Array.ofList (List.sortBy key (List.ofArray numbers))) missing |> Array.map fst

let private sort<'T when 'T: unmanaged and 'T: (new: unit -> 'T) and 'T: struct and 'T :> ValueType>
    (device: CpuDevice)
    rows
    length
    descending
    (values: 'T[])
    =
    let blank = Array.zeroCreate<'T> 2
    let source = upload device (Array.append blank values)
    let target = upload device (Array.create (values.Length + 3) mark)
    let kernel = device.ArgSort(ArgSortDescription(dtypeOf<'T>, rows, length, descending, Place(0, 2L), Place(1, 3L)))
    run device kernel [ source; target ]
    let result = download<int> device (values.Length + 3) target
    same [| mark; mark; mark |] result[..2]
    result[3..]

[<Tests>]
let tests =
    testList "Unit.Kernels.ArgSortTests" [
        test "rows are ordered as by a stable sort, on any number of threads" {
            let random = Random 5

            for rows, length in [ 1, 1; 3, 0; 0, 4; 5, 7; 1, 50000; 3000, 20 ] do
                // Many equal elements, both zeros, infinities, and NaN.
                let draw () =
                    match random.Next 12 with
                    | 0 -> nan
                    | 1 -> -0.0
                    | 2 -> infinity
                    | 3 -> -infinity
                    | _ -> float (random.Next 9 - 4)

                let values = Array.init (rows * length) (fun _ -> draw ())
                let whole = Array.init (rows * length) (fun _ -> random.Next 9 - 4)

                let ordered descending (values: float[]) =
                    [|
                        for row in 0 .. rows - 1 do
                            yield! reference descending values[row * length .. row * length + length - 1]
                    |]

                for descending in [ false; true ] do
                    for device in devices @ teams do
                        sort device rows length descending values |> same (ordered descending values)

                        sort device rows length descending (Array.map float32 values)
                        |> same (ordered descending values)

                        sort device rows length descending whole |> same (ordered descending (Array.map float whole))
        }

        test "the smallest and the largest integers have their places" {
            let values = [| 0; Int32.MaxValue; Int32.MinValue; -1; Int32.MinValue |]
            sort devices.Head 1 5 false values |> same [| 2; 4; 3; 0; 1 |]
            sort devices.Head 1 5 true values |> same [| 1; 0; 3; 2; 4 |]
        }

        test "a description that makes no sense is refused" {
            let refused argument (sort: ArgSortDescription) =
                refuses argument (fun () -> devices.Head.ArgSort sort |> ignore)

            refused "Rows" (ArgSortDescription(DType.Float32, -1, 2, false, Place(0, 0L), Place(1, 0L)))
            refused "Length" (ArgSortDescription(DType.Float32, 1, -2, false, Place(0, 0L), Place(1, 0L)))
            refused "Source" (ArgSortDescription(DType.Float32, 1, 2, false, Place(-1, 0L), Place(1, 0L)))
            refused "Target" (ArgSortDescription(DType.Float32, 1, 2, false, Place(0, 0L), Place(1, -1L)))
            refused "DType" (ArgSortDescription(enum<DType> 9, 1, 2, false, Place(0, 0L), Place(1, 0L)))
        }
    ]
