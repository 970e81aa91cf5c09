module Curvature.Tests.Unit.CsvTests

open System
open System.IO
open System.IO.Compression
open System.Text
open Expecto
open Expecto.Flip
open Curvature
open Curvature.FSharp
open Curvature.Tests

let private folder = TemporaryFolder.create "curvature-csv-"

let private write name (text: string) =
    let path = Path.Combine(folder, name)
    File.WriteAllText(path, text)
    path

let private zip (text: string) =
    use packed = new MemoryStream()

    (use stream = new GZipStream(packed, CompressionMode.Compress, true)
     stream.Write(ReadOnlySpan(Encoding.UTF8.GetBytes text)))

    packed.ToArray()

let private read (text: string) = Csv.read (write "table.csv" text)
let private readWith options (text: string) = Csv.readWith options (write "table.csv" text)

let private fails fragments (text: string) =
    Expect.error<DataException> ("table.csv" :: fragments) (fun () -> read text |> ignore)

[<Tests>]
let tests =
    testList "Unit.CsvTests" [
        test "the last column is the label" {
            let data = read "1.5,2,0\n-3e2,.25,2\n"
            Expect.tensor 0.0 [ 2; 2 ] [ 1.5; 2.0; -300.0; 0.25 ] data.Inputs
            Expect.tensor 0.0 [ 2 ] [ 0.0; 2.0 ] data.Labels
            Expect.isTrue "counts" (data.Rows = 2 && data.Features = 2 && data.Classes = 3)
            Expect.isTrue "element types" (data.Inputs.DType = DType.Float64 && data.Labels.DType = DType.Int32)
            Expect.isTrue "names" (data.FeatureNames.Count = 0)
        }

        test "a header names the columns" {
            let data = read "width,height,class\n1,2,0\n3,4,1"
            Expect.isTrue $"%A{data.FeatureNames}" (Seq.toList data.FeatureNames = [ "width"; "height" ])
            Expect.tensor 0.0 [ 2; 2 ] [ 1.0; 2.0; 3.0; 4.0 ] data.Inputs
        }

        test "a first row of counts and class names is a header of any length" {
            for header in [ "2,2,setosa,virginica"; "2,2,a,b,c"; "2,2,a,b,c,d" ] do
                let data = read (header + "\n1,2,0\n3,4,1\n")
                Expect.tensor 0.0 [ 2; 2 ] [ 1.0; 2.0; 3.0; 4.0 ] data.Inputs
                Expect.isTrue "names" (data.FeatureNames.Count = 0)
        }

        test "the column of the label can be chosen by number or by name" {
            let text = "class,width,height\n1,2.5,3.5\n0,4.5,5.5\n"

            for options in
                [
                    CsvOptions.Default.WithLabelColumn 0
                    CsvOptions.Default.WithLabelColumn -3
                    CsvOptions.Default.WithLabelColumn "class"
                ] do
                let data = readWith options text
                Expect.tensor 0.0 [ 2; 2 ] [ 2.5; 3.5; 4.5; 5.5 ] data.Inputs
                Expect.tensor 0.0 [ 2 ] [ 1.0; 0.0 ] data.Labels
                Expect.isTrue "names" (Seq.toList data.FeatureNames = [ "width"; "height" ])

            Expect.error<ArgumentRangeException> [ "3"; "table.csv"; "3 columns" ] (fun () ->
                readWith (CsvOptions.Default.WithLabelColumn 3) text |> ignore)

            Expect.error<DataException> [ "\"colour\""; "class, width, height" ] (fun () ->
                readWith (CsvOptions.Default.WithLabelColumn "colour") text |> ignore)
        }

        test "a header can be promised or denied" {
            let numbers = "1,2,0\n3,4,1\n"
            Expect.isTrue "promised" ((readWith (CsvOptions.Default.WithHeader true) numbers).Rows = 1)

            Expect.error<DataException> [ "line 1, column 1"; "\"a\" is not a number" ] (fun () ->
                readWith (CsvOptions.Default.WithHeader false) "a,b,c\n1,2,0\n" |> ignore)
        }

        test "separators, quotes, blanks, empty lines, a byte order mark and both line ends are understood" {
            let expected = [ 1.0; 2.0; 3.0; 4.0 ]
            let check (data: LabelledData) = Expect.tensor 0.0 [ 2; 2 ] expected data.Inputs
            check (read "\uFEFF 1 , 2,0 \r\n\r\n\"3\",\t4,\"1\"")
            check (readWith (CsvOptions.Default.WithSeparator ';') "1;2;0\n3;4;1\n")
            check (readWith (CsvOptions.Default.WithSeparator '\t') "1\t2\t0\n3\t4\t1\n")

            for separator in [ '1'; '.'; '"'; '\n'; '…' ] do
                Expect.error<ArgumentRangeException> [ "separator" ] (fun () ->
                    CsvOptions.Default.WithSeparator separator |> ignore)
        }

        test "a compressed file is unpacked, whatever its name" {
            let path = Path.Combine(folder, "packed.csv")
            File.WriteAllBytes(path, zip "1,2,0\n3,4,1\n")
            Expect.tensor 0.0 [ 2; 2 ] [ 1.0; 2.0; 3.0; 4.0 ] (Csv.read path).Inputs
        }

        test "a matrix has all columns" {
            let matrix = Csv.readMatrix (write "table.csv" "1,2.5\n-3,4\n")
            Expect.tensor 0.0 [ 2; 2 ] [ 1.0; 2.5; -3.0; 4.0 ] matrix
        }

        test "a missing file is told by its name" {
            let path = Path.Combine(folder, "missing.csv")
            Expect.error<DataException> [ path; "does not exist" ] (fun () -> Csv.read path |> ignore)
            Expect.error<DataException> [ folder; "folder" ] (fun () -> Csv.read folder |> ignore)
            Expect.error<DataException> [ "path"; "empty" ] (fun () -> Csv.read "" |> ignore)
        }

        test "a file without rows is refused" {
            fails [ "is empty" ] ""
            fails [ "is empty" ] "\n\n\n"
            fails [ "has a header and no rows" ] "width,height,class\n"
            fails [ "one column" ] "1\n2\n"
        }

        test "a ragged row is told with its line and both lengths" {
            fails [ "line 3"; "expected 3 cells as in line 1"; "got 2" ] "1,2,0\n3,4,1\n5,1\n"
            fails [ "line 4"; "expected 3 cells as in line 1"; "got 4" ] "1,2,0\n\n\n5,1,3,0\n"
            fails [ "line 2"; "expected 4 cells as in the header"; "got 3" ] "a,b,c,d\n1,2,0\n"
        }

        test "a cell that is not a finite number is told with its line, column and text" {
            fails [ "line 2, column 2"; "\"4x\" is not a number" ] "1,2,0\n3,4x,1\n"
            fails [ "line 1, column 3"; "\"setosa\" is not a number" ] "1,2,setosa\n3,4,1\n"
            fails [ "line 2, column 1"; "the cell is empty" ] "1,2,0\n,4,1\n"
            fails [ "line 1, column 2"; "the cell is empty" ] "1,,0\n"
            fails [ "line 2, column 2"; "\"NaN\" is not a finite number" ] "1,2,0\n3,NaN,1\n"
            fails [ "line 2, column 2"; "\"-Infinity\" is not a finite number" ] "1,2,0\n3,-Infinity,1\n"
            fails [ "line 2, column 2"; "\"1e999\" is not a finite number" ] "1,2,0\n3,1e999,1\n"
            fails [ "line 2, column 2"; "\"1,5\" is not a number" ] "1,2,0\n3,\"1,5\",1\n"
        }

        test "a label that is not a whole number from 0 on is told with its line" {
            fails [ "line 2"; "label 0.5"; "whole number" ] "1,2,0\n3,4,0.5\n"
            fails [ "line 3"; "label -1"; "whole number" ] "a,b,c\n1,2,0\n3,4,-1\n"
            fails [ "line 1"; "label"; "whole number" ] "1,2,3000000000\n"
        }

        test "broken quotes and broken compression are refused" {
            fails [ "line 2" ] "1,2,0\n3,\"4,1\n5,6,0\n"
            let whole = zip (String.replicate 500 "1.25,2.5,0\n3.75,4,1\n")
            let path = Path.Combine(folder, "broken.csv.gz")
            File.WriteAllBytes(path, whole[.. whole.Length / 2])
            Expect.error<DataException> [ "broken.csv.gz" ] (fun () -> Csv.read path |> ignore)
            let broken = Array.copy whole
            broken[whole.Length / 2] <- broken[whole.Length / 2] ^^^ 0x10uy
            File.WriteAllBytes(path, broken)
            Expect.error<DataException> [ "broken.csv.gz" ] (fun () -> Csv.read path |> ignore)
        }

        test "flowers are read with the header that their file has" {
            let data = Csv.read (SharedData.path "data/iris.csv")
            Expect.isTrue $"{data.Rows}" (data.Rows = 150 && data.Features = 4 && data.Classes = 3)
            Expect.tensor 0.0 [ 4 ] [ 5.1; 3.5; 1.4; 0.2 ] (Tensor.item 0 0 data.Inputs)
        }

        test "columns are brought to the unit range, or to mean 0 and variance 1" {
            let x = tensor [ [ 1.0; 5.0; -2.0 ]; [ 3.0; 5.0; 0.0 ]; [ 2.0; 5.0; 2.0 ] ]
            Expect.tensor 1e-15 [ 3; 3 ] [ 0.0; 0.0; 0.0; 1.0; 0.0; 0.5; 0.5; 0.0; 1.0 ] (Scaling.toUnitRange x)
            let root = sqrt 1.5

            Expect.tensor 1e-15 [ 3; 3 ] [ -root; 0.0; -root; root; 0.0; 0.0; 0.0; 0.0; root ] (Scaling.standardize x)

            Expect.error<ShapeException> [ "toUnitRange"; "[3]" ] (fun () ->
                Scaling.toUnitRange (tensor [ 1.0; 2.0; 3.0 ]) |> ignore)

            Expect.error<ShapeException> [ "standardize"; "[0; 3]" ] (fun () ->
                Scaling.standardize (Tensor.zeros DType.Float64 [ 0; 3 ]) |> ignore)
        }

        test "columns of targets are numbers, in the order in which they are named" {
            let text = "a,y,b,z\n1,0.5,2,-1\n3,1.5,4,-2\n"
            let named = CsvOptions.Default.WithTargetColumns("z", "y")
            let numbered = CsvOptions.Default.WithTargetColumns(-1, 1)

            for options in [ named; numbered ] do
                let data = Csv.readRegressionWith options (write "table.csv" text)
                Expect.tensor 0.0 [ 2; 2 ] [ 1.0; 2.0; 3.0; 4.0 ] data.Inputs
                Expect.tensor 0.0 [ 2; 2 ] [ -1.0; 0.5; -2.0; 1.5 ] data.Targets
                Expect.equal "types" (DType.Float64, DType.Float64) (data.Inputs.DType, data.Targets.DType)
                Expect.equal "features" [ "a"; "b" ] (List.ofSeq data.FeatureNames)
                Expect.equal "targets" [ "z"; "y" ] (List.ofSeq data.TargetNames)

            let last = Csv.readRegression (write "table.csv" "1,2.5\n3,-4.5\n")
            Expect.tensor 0.0 [ 2; 1 ] [ 2.5; -4.5 ] last.Targets
            Expect.isTrue "no names" (last.TargetNames.Count = 0 && last.FeatureNames.Count = 0)
            use stream = new MemoryStream(Encoding.UTF8.GetBytes "1,2.5\n3,-4.5\n")
            let streamed = Csv.readRegressionStream CsvOptions.Default "stream" stream
            Expect.sameBits last.Targets streamed.Targets
        }

        test "columns of targets that are not there are refused" {
            let fails options text () = Csv.readRegressionWith options (write "table.csv" text) |> ignore
            let columns (indices: int[]) = CsvOptions.Default.WithTargetColumns indices
            let text = "1,2\n3,4\n"
            Expect.error<ArgumentRangeException> [ "target column 2"; "2 columns" ] (fails (columns [| 2 |]) text)
            Expect.error<ArgumentRangeException> [ "column 1"; "2 times" ] (fails (columns [| 1; -1 |]) text)
            Expect.error<ArgumentRangeException> [ "at least one column" ] (fun () -> columns [||] |> ignore)
            Expect.error<DataException> [ "feature" ] (fails (columns [| 0; 1 |]) text)
            let named = CsvOptions.Default.WithTargetColumns "y"
            Expect.error<DataException> [ "\"y\""; "no header" ] (fails named text)
        }
    ]
