/// Tensors as numbers and as text.
module Curvature.Tests.Unit.Tensors.TensorFormattingTests

open System
open System.Diagnostics
open System.Globalization
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

[<Tests>]
let tests =
    testList "Unit.Tensors.TensorFormattingTests" [
        test "a tensor of one element converts to a number" {
            Expect.equal "float (tensor -2.75)" -2.75 (float (tensor -2.75))
            Expect.equal "double (tensor [ [ -2.75f ] ])" -2.75 (double (tensor [ [ -2.75f ] ]))
            Expect.equal "float32 (tensor -2.75)" -2.75f (float32 (tensor -2.75))
            Expect.equal "int (tensor -2.75)" -2 (int (tensor -2.75))
            Expect.equal "int (tensor Int32.MaxValue)" Int32.MaxValue (int (tensor Int32.MaxValue))
            Expect.error<ShapeException> [ "one element"; "[2]" ] (fun () -> float (tensor [ 1.0; 2.0 ]) |> ignore)

            Expect.error<AbstractValueException> [] (fun () ->
                vmap (fun x -> float x * x) (tensor [ 1.0; 2.0 ]) |> ignore)
        }

        test "a format applies to every element that is printed" {
            let loss = tensor (2.0 / 3.0)
            Expect.equal "$\"{loss:f6}\"" "0.666667" $"{loss:f6}"

            Expect.equal
                "String.Format(CultureInfo.Invar…"
                "loss 0.67"
                (String.Format(CultureInfo.InvariantCulture, "loss {0:g2}", loss))

            Expect.equal
                "(tensor [ 0.5; -1.25 ]).ToStrin…"
                "[0.50, -1.25]"
                ((tensor [ 0.5; -1.25 ]).ToString "f2" |> _.Replace("  ", " ").Replace("[ ", "["))

            Expect.equal
                "(tensor [ [ 1.0; 2.0 ]; [ 3.0;…"
                "[[1.0, 2.0],\n [3.0, 4.5]]"
                ((tensor [ [ 1.0; 2.0 ]; [ 3.0; 4.5 ] ]).ToString "f1")

            Expect.equal "(tensor [ 1.0f; 2.5f ]).ToStrin…" "[1.00, 2.50]" ((tensor [ 1.0f; 2.5f ]).ToString "f2")
            Expect.equal "(tensor [ 7; 12 ]).ToString \"d3\"" "[007, 012]" ((tensor [ 7; 12 ]).ToString "d3")
            let long = Tensor.arange DType.Float64 20

            Expect.equal
                "long.ToString(\"f1\").Replace(\" \"…"
                "[0.0, 1.0, 2.0, 3.0, …, 16.0, 17.0, 18.0, 19.0]"
                (long.ToString("f1").Replace(" ", "").Replace(",", ", "))
        }

        test "the culture is the caller's, and otherwise none" {
            let german = CultureInfo.GetCultureInfo "de-DE"
            Expect.equal "(tensor (2.0 / 3.0)).ToString(\"…" "0,667" ((tensor (2.0 / 3.0)).ToString("g3", german))
            let current = CultureInfo.CurrentCulture

            try
                CultureInfo.CurrentCulture <- german
                Expect.equal "(tensor (2.0 / 3.0)).ToString \"…" "0.667" ((tensor (2.0 / 3.0)).ToString "g3")
                Expect.equal "(tensor 0.5).ToString()" "tensor(0.5, float64)" ((tensor 0.5).ToString())
            finally
                CultureInfo.CurrentCulture <- current
        }

        test "without a format the text is that of ToString" {
            let t = tensor [ [ 1.5; 2.0 ] ]
            let text = t.ToString()
            Expect.equal "string t" text (string t)
            Expect.equal "$\"{t}\"" text $"{t}"
            Expect.equal "t.ToString(null, null)" text (t.ToString(null, null))
            Expect.equal "t.ToString \"\"" text (t.ToString "")
            Expect.equal "sprintf \"%A\" t" text (sprintf "%A" t)
            Expect.equal "sprintf \"%O\" t" text (sprintf "%O" t)
        }

        testCase "stand-ins with values are formatted, and others say what they are" (fun () ->
            let mutable texts = []

            let f (x: Tensor) =
                texts <- x.ToString "f2" :: texts
                x * x

            grad f (tensor 1.5) |> ignore
            Expect.equal "texts" [ "1.50" ] texts
            vmap f (tensor [ 1.0; 2.0 ]) |> ignore
            Expect.equal "texts.Head" "tensor(batched, float64, shape [])" texts.Head)

        test "a format that numbers do not have is named" {
            Expect.error<ArgumentRangeException> [ "ToString"; "\"q9\"" ] (fun () ->
                (tensor 1.5).ToString "q9" |> ignore)
        }

        test "a debugger shows the text" {
            let display = Attribute.GetCustomAttribute(typeof<Tensor>, typeof<DebuggerDisplayAttribute>)
            Expect.equal "(display :?> DebuggerDisplayAtt…" "{Text,nq}" (display :?> DebuggerDisplayAttribute).Value

            let text =
                typeof<Tensor>
                    .GetProperty("Text", Reflection.BindingFlags.Instance ||| Reflection.BindingFlags.NonPublic)

            Expect.equal "text.GetValue(tensor 0.5)" (box "tensor(0.5, float64)") (text.GetValue(tensor 0.5))
        }
    ]
