/// Tensors as numbers and as text.
module Curvature.Tests.Unit.Tensors.TensorFormattingTests

open System
open System.Diagnostics
open System.Globalization
open NUnit.Framework
open Curvature
open Curvature.FSharp
open Curvature.Tests

[<Test>]
let ``a tensor of one element converts to a number`` () =
    Expect.equal -2.75 (float (tensor -2.75))
    Expect.equal -2.75 (double (tensor [ [ -2.75f ] ]))
    Expect.equal -2.75f (float32 (tensor -2.75))
    Expect.equal -2 (int (tensor -2.75))
    Expect.equal Int32.MaxValue (int (tensor Int32.MaxValue))
    Expect.error<ShapeException> [ "one element"; "[2]" ] (fun () -> float (tensor [ 1.0; 2.0 ]) |> ignore)

    Expect.error<AbstractValueException> [] (fun () -> vmap (fun x -> float x * x) (tensor [ 1.0; 2.0 ]) |> ignore)

[<Test>]
let ``a format applies to every element that is printed`` () =
    let loss = tensor (2.0 / 3.0)
    Expect.equal "0.666667" $"{loss:f6}"
    Expect.equal "loss 0.67" (String.Format(CultureInfo.InvariantCulture, "loss {0:g2}", loss))
    Expect.equal "[0.50, -1.25]" ((tensor [ 0.5; -1.25 ]).ToString "f2" |> _.Replace("  ", " ").Replace("[ ", "["))
    Expect.equal "[[1.0, 2.0],\n [3.0, 4.5]]" ((tensor [ [ 1.0; 2.0 ]; [ 3.0; 4.5 ] ]).ToString "f1")
    Expect.equal "[1.00, 2.50]" ((tensor [ 1.0f; 2.5f ]).ToString "f2")
    Expect.equal "[007, 012]" ((tensor [ 7; 12 ]).ToString "d3")
    let long = Tensor.arange DType.Float64 20

    Expect.equal
        "[0.0, 1.0, 2.0, 3.0, …, 16.0, 17.0, 18.0, 19.0]"
        (long.ToString("f1").Replace(" ", "").Replace(",", ", "))

[<Test>]
let ``the culture is the caller's, and otherwise none`` () =
    let german = CultureInfo.GetCultureInfo "de-DE"
    Expect.equal "0,667" ((tensor (2.0 / 3.0)).ToString("g3", german))
    let current = CultureInfo.CurrentCulture

    try
        CultureInfo.CurrentCulture <- german
        Expect.equal "0.667" ((tensor (2.0 / 3.0)).ToString "g3")
        Expect.equal "tensor(0.5, float64)" ((tensor 0.5).ToString())
    finally
        CultureInfo.CurrentCulture <- current

[<Test>]
let ``without a format the text is that of ToString`` () =
    let t = tensor [ [ 1.5; 2.0 ] ]
    let text = t.ToString()
    Expect.equal text (string t)
    Expect.equal text $"{t}"
    Expect.equal text (t.ToString(null, null))
    Expect.equal text (t.ToString "")
    Expect.equal text (sprintf "%A" t)
    Expect.equal text (sprintf "%O" t)

[<Test>]
let ``stand-ins with values are formatted, and others say what they are`` () =
    let mutable texts = []

    let f (x: Tensor) =
        texts <- x.ToString "f2" :: texts
        x * x

    grad f (tensor 1.5) |> ignore
    Expect.equal [ "1.50" ] texts
    vmap f (tensor [ 1.0; 2.0 ]) |> ignore
    Expect.equal "tensor(batched, float64, shape [])" texts.Head

[<Test>]
let ``a format that numbers do not have is named`` () =
    Expect.error<ArgumentRangeException> [ "ToString"; "\"q9\"" ] (fun () -> (tensor 1.5).ToString "q9" |> ignore)

[<Test>]
let ``a debugger shows the text`` () =
    let display = Attribute.GetCustomAttribute(typeof<Tensor>, typeof<DebuggerDisplayAttribute>)
    Expect.equal "{Text,nq}" (display :?> DebuggerDisplayAttribute).Value

    let text =
        typeof<Tensor>.GetProperty("Text", Reflection.BindingFlags.Instance ||| Reflection.BindingFlags.NonPublic)

    Expect.equal (box "tensor(0.5, float64)") (text.GetValue(tensor 0.5))
